# Chamfer++ (Bertrand et al., arXiv 2303.16084) on a frozen backbone; nothing is trained.
adapter = dict(type="Frozen")
prototypes = dict(type="EachShot")
matcher = dict(type="Chamfer", tuple_size=3)
readout = dict(type="MatchOnly")
train = dict(episodes=0)
