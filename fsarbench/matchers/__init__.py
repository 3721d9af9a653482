"""Scores of queries against prototypes; importing this package registers every matcher."""

from fsarbench.matchers import mean_cosine, mean_euclidean, otam

__all__ = ["mean_cosine", "mean_euclidean", "otam"]
