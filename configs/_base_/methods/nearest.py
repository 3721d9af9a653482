# Nearest neighbour on frozen features, fitted on the support set; nothing is trained.
adapter = dict(type="Frozen")
prototypes = dict(type="EachShot")
matcher = dict(type="NearestNeighbour")
readout = dict(type="MatchOnly")
train = dict(episodes=0)
