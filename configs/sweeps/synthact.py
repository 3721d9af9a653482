"""Every method on synthact, 5-way 1-shot.

Eight frames, one query per class, 10,000 test episodes (the same for every row and seed), the
packaged small CLIP, 300 training episodes, checkpoint selected on the 12 validation classes.
One short recipe for all methods, not tuned for any of them. Three training seeds for the twelve
best known methods, one for the others.
"""

seeds = [0, 1, 2]
rows = [
    dict(name="zero-shot CLIP", config="zeroshot_synthact_1shot", seeds=[0]),
    dict(name="frozen CLIP", config="frozen_synthact_1shot", seeds=[0]),
    dict(
        name="frozen CLIP + OTAM",
        config="frozen_synthact_1shot",
        set=["matcher.type=OTAM"],
        seeds=[0],
    ),
    dict(name="frozen CLIP, nearest neighbour", config="nearest_synthact_1shot", seeds=[0]),
    dict(name="frozen CLIP, ridge regression", config="ridge_synthact_1shot", seeds=[0]),
    dict(name="frozen CLIP, logistic regression", config="logistic_synthact_1shot", seeds=[0]),
    dict(name="frozen CLIP, Chamfer++", config="chamfer_synthact_1shot", seeds=[0]),
    dict(name="MA-FSAR", config="mafsar_synthact_1shot"),
    dict(name="CLIP-FSAR", config="clipfsar_synthact_1shot"),
    dict(name="OTAM", config="otam_synthact_1shot"),
    dict(name="TRX", config="trx_synthact_1shot"),
    dict(name="HyRSM", config="hyrsm_synthact_1shot"),
    dict(name="STRM", config="strm_synthact_1shot"),
    dict(name="MoLo", config="molo_synthact_1shot"),
    dict(name="AIM", config="aim_synthact_1shot"),
    dict(name="ST-Adapter", config="stadapter_synthact_1shot"),
    dict(name="D2ST-Adapter", config="d2st_synthact_1shot"),
    dict(name="DiA", config="dia_synthact_1shot"),
    dict(name="TS-FSAR", config="tsfsar_synthact_1shot"),
    dict(name="HyRSM++", config="hyrsmpp_synthact_1shot", seeds=[0]),
    dict(name="full fine-tuning + TPCM + OTAM", config="finetune_synthact_1shot", seeds=[0]),
    dict(name="LoRA", config="lora_synthact_1shot", seeds=[0]),
    dict(name="ProtoNet", config="protonet_synthact_1shot", seeds=[0]),
    dict(name="mean matching", config="meanmatching_synthact_1shot", seeds=[0]),
    dict(name="max matching", config="maxmatching_synthact_1shot", seeds=[0]),
    dict(name="diagonal matching", config="diagonalmatching_synthact_1shot", seeds=[0]),
    dict(name="linear matching", config="linearmatching_synthact_1shot", seeds=[0]),
    # Features depend on the episode and cannot be cached: 500 episodes instead of 10,000.
    dict(
        name="Task-Adapter (transductive)",
        config="taskadapter_synthact_1shot",
        set=["evaluate.episodes=500"],
        seeds=[0],
    ),
]
