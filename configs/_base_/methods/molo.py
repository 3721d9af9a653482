# MoLo (Wang et al., CVPR 2023). The weight of the motion, 0.3, and the term 0.01 of the cosine are
# those of the released code. The weights of the three further losses are ours.
adapter = dict(type="FullFineTuning")
branches = dict(
    appearance=dict(
        neck=dict(type="LongShort"),
        prototypes=dict(type="Mean"),
        matcher=dict(type="BiMHM", cosine_eps=0.01),
    ),
    motion=dict(
        neck=dict(type="MotionDifferences"),
        prototypes=dict(type="Mean"),
        matcher=dict(type="BiMHM", cosine_eps=0.01),
        weight=0.3,
    ),
)
losses = dict(
    match=dict(type="EpisodeCrossEntropy"),
    contrast=dict(type="LongShortContrast", branch="appearance", auxiliary="token", weight=0.05),
    motion_contrast=dict(type="LongShortContrast", branch="motion", auxiliary="token", weight=0.05),
    reconstruction=dict(type="Reconstruction", branch="motion", weight=0.05),
)
readout = dict(type="MatchOnly")
