# TRX (Perrett et al., CVPR 2021) with pairs and triples of frames.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="EachShot")
matcher = dict(type="TRX")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
