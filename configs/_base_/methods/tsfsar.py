# TS-FSAR (Long et al., AAAI 2026), as in the released code: a side network beside a frozen CLIP and
# three branches that it feeds. `match` compares the alpha-distance matrices of frames, `clip` and
# `side` compare frozen CLIP and the side network with the text of the classes. The weights of the
# branches are the exponents of their probabilities: the product of powers of softmaxes, normalised,
# is the softmax of the weighted sum of the logits. All numbers of this file are those of SSv2-Small
# with 5 shots.
adapter = dict(type="Frozen")
neck = dict(type="LadderSideNetwork")
branches = dict(
    match=dict(
        neck=dict(type="AlphaDistance"),
        prototypes=dict(type="Mean"),
        matcher=dict(type="TaskSpecificMatching", token_width=256),
        weight=0.8,
    ),
    clip=dict(
        neck=dict(type="FrameAttention"),
        prototypes=dict(type="TextPrototypes"),
        matcher=dict(type="MeanCosine", temperature=0.02),
        weight=0.05,
    ),
    side=dict(
        neck=dict(type="ClassTokens"),
        prototypes=dict(type="TextPrototypes"),
        matcher=dict(type="MeanCosine", temperature=0.02),
        weight=0.15,
    ),
)
losses = dict(
    match=dict(type="EpisodeCrossEntropy", branch="match"),
    guided=dict(
        type="GuidedClassifier",
        branch="match",
        guide="clip",
        weight=2.0,
        guide_weight=0.005,
        softness=[4.0, 0.08],
        token_width=256,
        dropout=0.7,
    ),
    clip_text=dict(
        type="VideoTextContrast", branch="clip", temperature=0.02, learnable=False, weight=0.01
    ),
    side_text=dict(
        type="VideoTextContrast", branch="side", temperature=0.02, learnable=False, weight=0.01
    ),
)
readout = dict(type="MatchOnly")
