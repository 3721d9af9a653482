"""Data sets split by class; importing the package registers them."""

from fsarbench.data.datasets import synthact

__all__ = ["synthact"]
