# Linear matching (Bertrand et al., arXiv 2303.16084) on a frozen backbone; its weights are trained.
adapter = dict(type="Frozen")
prototypes = dict(type="EachShot")
matcher = dict(type="SimilarityPooling", pooling="linear")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
