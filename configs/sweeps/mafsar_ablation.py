"""MA-FSAR without each of its components, on synthact, 5-way 1-shot.

Eight frames, one query per class, 10,000 test episodes (the same for every row and seed), the
packaged small CLIP, 300 training episodes, checkpoint selected on the 12 validation classes.
"""

seeds = [0, 1, 2]
rows = [
    dict(name="MA-FSAR", config="mafsar_synthact_1shot"),
    dict(name="without GTA", config="mafsar_synthact_1shot", set=["adapter.gta=False"]),
    dict(name="without LMA's text", config="mafsar_synthact_1shot", set=["adapter.text=False"]),
    dict(name="without TPCM", config="mafsar_synthact_1shot", set=["prototypes.type=Mean"]),
    dict(name="without adapters", config="mafsar_synthact_1shot", set=["adapter.type=Frozen"]),
]
