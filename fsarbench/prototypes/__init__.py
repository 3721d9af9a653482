"""Support features to class prototypes; importing this package registers every builder."""

from fsarbench.prototypes import mean, text_guided

__all__ = ["mean", "text_guided"]
