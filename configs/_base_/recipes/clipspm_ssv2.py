# The authors' released config of SSv2-Full.
_base_ = "clipspm.py"
train = dict(episodes=100_000, lr=1.6e-5, trunk_lr=1.6e-5, weight_decay=9.7e-4)
