# STRM (Thatipelli et al., CVPR 2022): patches and frames are enriched one after the other, and each
# level has its own branch. Pairs of frames and the weight 0.1 are those of the released code.
adapter = dict(type="FullFineTuning")
neck = dict(type="PatchAttention")
branches = dict(
    frame_level=dict(
        neck=dict(type="FrameMixer"),
        prototypes=dict(type="EachShot"),
        matcher=dict(type="TRX", cardinalities=[2]),
    ),
    patch_level=dict(
        prototypes=dict(type="EachShot"),
        matcher=dict(type="TupleMinimum", cardinalities=[2]),
        weight=0.1,
    ),
)
losses = dict(
    match=dict(type="EpisodeCrossEntropy", branch="frame_level"),
    patches=dict(type="EpisodeCrossEntropy", branch="patch_level", weight=0.1),
)
readout = dict(type="MatchOnly")
