# ST-Adapter (Pan et al., NeurIPS 2022) with mean prototypes and OTAM.
adapter = dict(type="STAdapter")
prototypes = dict(type="Mean")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
