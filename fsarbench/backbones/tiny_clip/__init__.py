"""`fsarbench-tiny`, a small CLIP that travels with the package."""
