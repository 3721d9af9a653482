"""Catalogue of components: cards, entry points and packaged files; does not import torch."""
