# DiA with mean prototypes and OTAM; what its authors use behind the backbone is not known to us.
adapter = dict(type="DiA")
prototypes = dict(type="Mean")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
