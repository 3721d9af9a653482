# The authors' released configs of SSv2-Full.
_base_ = "tsfsar.py"
train = dict(episodes=50_000, val_interval=2000)
