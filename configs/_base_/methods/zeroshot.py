# Zero-shot CLIP (Radford et al., ICML 2021): nothing is trained, the support set is not looked at.
adapter = dict(type="Frozen")
readout = dict(type="TextOnly")
train = dict(episodes=0)
