# OTAM (Cao et al., CVPR 2020) with full fine-tuning. The costs of the shots are averaged, as in the
# code base of CLIP-FSAR and related methods.
adapter = dict(type="FullFineTuning")
prototypes = dict(type="EachShot")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
