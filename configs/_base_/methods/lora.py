# LoRA (Hu et al., ICLR 2022) with mean prototypes and OTAM; the paper has no video setting.
adapter = dict(type="LoRA")
prototypes = dict(type="Mean")
matcher = dict(type="OTAM")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
