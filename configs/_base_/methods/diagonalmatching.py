# Diagonal matching (Bertrand et al., arXiv 2303.16084) on a frozen backbone; nothing is trained.
adapter = dict(type="Frozen")
prototypes = dict(type="EachShot")
matcher = dict(type="SimilarityPooling", pooling="diagonal")
readout = dict(type="MatchOnly")
train = dict(episodes=0)
