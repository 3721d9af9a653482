# HyRSM++ (Wang et al., arXiv 2301.03330): HyRSM as in the released code, and temporal coherence.
# The weight of the latter is ours.
_base_ = ["hyrsm_released.py"]
losses = dict(coherence=dict(type="TemporalCoherence", weight=0.1))
