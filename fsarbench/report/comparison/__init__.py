"""Comparison tables of finished runs."""
