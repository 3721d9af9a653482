"""What is done to the blocks of a trunk; importing this package registers every adapter."""

from fsarbench.adapters import fine_grained_multimodal, frozen, full_fine_tuning, st_adapter

__all__ = ["fine_grained_multimodal", "frozen", "full_fine_tuning", "st_adapter"]
