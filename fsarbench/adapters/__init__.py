"""What is done to the blocks of a trunk; importing this package registers every adapter."""

from fsarbench.adapters import (
    bias_tuning,
    fine_grained_multimodal,
    frozen,
    full_fine_tuning,
    norm_tuning,
    partial_fine_tuning,
    st_adapter,
)

__all__ = [
    "bias_tuning",
    "fine_grained_multimodal",
    "frozen",
    "full_fine_tuning",
    "norm_tuning",
    "partial_fine_tuning",
    "st_adapter",
]
