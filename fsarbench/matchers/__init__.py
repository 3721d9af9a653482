"""Scores of queries against prototypes; importing this package registers every matcher."""

from fsarbench.matchers import (
    bi_mhm,
    chamfer,
    cross_transformer,
    logistic_regression,
    mean_cosine,
    mean_euclidean,
    nearest_neighbour,
    otam,
    ridge,
    similarity_pooling,
    soft_dtw,
    trx,
)

__all__ = [
    "bi_mhm",
    "chamfer",
    "cross_transformer",
    "logistic_regression",
    "mean_cosine",
    "mean_euclidean",
    "nearest_neighbour",
    "otam",
    "ridge",
    "similarity_pooling",
    "soft_dtw",
    "trx",
]
