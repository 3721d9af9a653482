# HyRSM with the components of its released code; `fsarbench show hyrsm` lists the differences.
_base_ = ["hyrsm.py"]
prototypes = dict(as_released=True)
losses = dict(frames=dict(auxiliary="attended"))
