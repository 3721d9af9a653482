# HyRSM (Wang et al., CVPR 2022).
adapter = dict(type="FullFineTuning")
prototypes = dict(type="HybridRelation")
matcher = dict(type="BiMHM")
losses = dict(match=dict(type="EpisodeCrossEntropy"), frames=dict(type="FrameClassifier"))
readout = dict(type="MatchOnly")
