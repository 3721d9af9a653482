# MPL (CVPR 2026), as in the released code, whose loss is the cross-entropy of the match alone.
# Transductive: all queries of an episode enter the prototypes. For each query by itself:
# prototypes = dict(queries="alone").
adapter = dict(type="FullFineTuning")
prototypes = dict(type="MatchGuided")
matcher = dict(type="BiMHM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
