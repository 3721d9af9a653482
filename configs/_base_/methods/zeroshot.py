# Zero-shot CLIP (Radford et al., ICML 2021): no training, and the support set is not used.
adapter = dict(type="Frozen")
readout = dict(type="TextOnly")
train = dict(episodes=0)
