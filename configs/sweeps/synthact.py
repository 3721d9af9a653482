"""Methods on synthact, 5-way 1-shot.

Eight frames, one query per class, 10,000 test episodes (the same for every row and seed), the
packaged small CLIP, 300 training episodes, checkpoint selected on the 12 validation classes.
One short recipe for all methods, not tuned for any of them.
"""

seeds = [0, 1, 2]
rows = [
    # These two are not trained, so other seeds would give the same numbers.
    dict(name="frozen + MeanCosine", config="frozen_synthact_1shot", seeds=[0]),
    dict(
        name="frozen + OTAM", config="frozen_synthact_1shot", set=["matcher.type=OTAM"], seeds=[0]
    ),
    dict(name="full fine-tuning + TPCM + OTAM", config="finetune_synthact_1shot"),
    dict(name="ST-Adapter + OTAM", config="stadapter_synthact_1shot"),
    dict(name="AIM + OTAM", config="aim_synthact_1shot"),
    dict(name="MA-FSAR", config="mafsar_synthact_1shot"),
    dict(
        name="MA-FSAR without GTA",
        config="mafsar_synthact_1shot",
        set=["adapter.gta=False"],
    ),
    dict(
        name="MA-FSAR without LMA's text",
        config="mafsar_synthact_1shot",
        set=["adapter.text=False"],
    ),
    dict(
        name="MA-FSAR without TPCM",
        config="mafsar_synthact_1shot",
        set=["prototypes.type=Mean"],
    ),
    dict(
        name="MA-FSAR without adapters", config="mafsar_synthact_1shot", set=["adapter.type=Frozen"]
    ),
]
