"""Catalogue of components: cards, entry points, packaged files; free of torch."""
