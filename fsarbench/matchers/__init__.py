"""Matchers: scores of queries against prototypes.

The module of a class is imported when the class is first used.
"""

from typing import TYPE_CHECKING

from fsarbench.catalogue.lazy_imports import lazy_classes

if TYPE_CHECKING:  # for type checkers and editors
    from fsarbench.matchers.bi_mhm import BiMHM as BiMHM
    from fsarbench.matchers.chamfer import Chamfer as Chamfer
    from fsarbench.matchers.cosine_product import CosineProduct as CosineProduct
    from fsarbench.matchers.cross_transformer import CrossTransformer as CrossTransformer
    from fsarbench.matchers.logistic_regression import LogisticRegression as LogisticRegression
    from fsarbench.matchers.mean_cosine import MeanCosine as MeanCosine
    from fsarbench.matchers.mean_euclidean import MeanEuclidean as MeanEuclidean
    from fsarbench.matchers.nearest_neighbour import NearestNeighbour as NearestNeighbour
    from fsarbench.matchers.otam import OTAM as OTAM
    from fsarbench.matchers.ridge import Ridge as Ridge
    from fsarbench.matchers.segment_matching import SegmentMatching as SegmentMatching
    from fsarbench.matchers.similarity_pooling import SimilarityPooling as SimilarityPooling
    from fsarbench.matchers.soft_dtw import SoftDTW as SoftDTW
    from fsarbench.matchers.task_specific_matching import (
        TaskSpecificMatching as TaskSpecificMatching,
    )
    from fsarbench.matchers.trx import TRX as TRX
    from fsarbench.matchers.tuple_minimum import TupleMinimum as TupleMinimum

# The module of each class; the registry finds components here.
COMPONENTS = {
    "BiMHM": "bi_mhm",
    "Chamfer": "chamfer",
    "CosineProduct": "cosine_product",
    "CrossTransformer": "cross_transformer",
    "LogisticRegression": "logistic_regression",
    "MeanCosine": "mean_cosine",
    "MeanEuclidean": "mean_euclidean",
    "NearestNeighbour": "nearest_neighbour",
    "OTAM": "otam",
    "Ridge": "ridge",
    "SegmentMatching": "segment_matching",
    "SimilarityPooling": "similarity_pooling",
    "SoftDTW": "soft_dtw",
    "TRX": "trx",
    "TaskSpecificMatching": "task_specific_matching",
    "TupleMinimum": "tuple_minimum",
}
__all__ = list(COMPONENTS)
__getattr__, __dir__ = lazy_classes(__name__, COMPONENTS)
