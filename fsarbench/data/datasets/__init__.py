"""Data sets split by class; importing the package registers them."""

from fsarbench.data.datasets import strokes, synthact

__all__ = ["strokes", "synthact"]
