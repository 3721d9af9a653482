# The authors' released config of SSv2-Small.
_base_ = "clipspm.py"
train = dict(episodes=100_000)
