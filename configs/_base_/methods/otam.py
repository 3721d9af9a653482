# OTAM (Cao et al., CVPR 2020) on a fully tuned backbone. The costs of the shots are averaged, as in
# the code that the field shares.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="EachShot")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
