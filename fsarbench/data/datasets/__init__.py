"""Data sets split by class; importing the package registers them."""

from fsarbench.data.datasets import annotated, strokes, synthact, video_folder

__all__ = ["annotated", "strokes", "synthact", "video_folder"]
