# AIM (Yang et al., ICLR 2023) with mean prototypes and OTAM; the paper has no few-shot setting.
# Two temporal adapters, as in the authors' configs for data sets where order matters.
adapter = dict(type="AIM", temporal=2)
prototypes = dict(type="Mean")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
