"""What is done to the blocks of a trunk; importing this package registers every adapter."""

from fsarbench.adapters import (
    adapt_former,
    aim,
    bias_tuning,
    fine_grained_multimodal,
    frozen,
    full_fine_tuning,
    lora,
    norm_tuning,
    partial_fine_tuning,
    st_adapter,
    task_adapter,
    visual_prompts,
)

__all__ = [
    "adapt_former",
    "aim",
    "bias_tuning",
    "fine_grained_multimodal",
    "frozen",
    "full_fine_tuning",
    "lora",
    "norm_tuning",
    "partial_fine_tuning",
    "st_adapter",
    "task_adapter",
    "visual_prompts",
]
