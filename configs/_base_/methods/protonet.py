# ProtoNet (Snell et al., NeurIPS 2017) on time-averaged features.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="Mean")
matcher = dict(type="MeanEuclidean")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
