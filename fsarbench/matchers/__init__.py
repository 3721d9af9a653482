"""Scores of queries against prototypes."""
