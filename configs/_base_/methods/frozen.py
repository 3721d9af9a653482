# A frozen backbone; nothing is trained.
adapter = dict(type="Frozen")
prototypes = dict(type="Mean")
matcher = dict(type="MeanCosine")
readout = dict(type="MatchOnly")
train = dict(episodes=0)
