"""`fsarbench-tiny`, a small CLIP model that is part of the package."""
