"""Evaluation of frozen frame features: 5-way 1-shot episodes of held-out classes."""

import numpy as np


def accuracies(
    features: np.ndarray, labels: np.ndarray, episodes: int = 300, way: int = 5, seed: int = 0
) -> dict[str, float]:
    """Accuracy of three frozen matchers over videos' frame features "V T D".

    `mean` compares frame averages and cannot see order; `diagonal` compares frame by frame;
    `warped` is dynamic time warping over cosine distances.
    """
    generator = np.random.default_rng(seed)
    unit = features / np.linalg.norm(features, axis=-1, keepdims=True)
    right = dict.fromkeys(MATCHERS, 0.0)
    for _ in range(episodes):
        support, query = _episode(labels, way, generator)
        for name, matcher in MATCHERS.items():
            chosen = matcher(unit[query], unit[support]).argmax(1)
            right[name] += (chosen == np.arange(way)).mean() / episodes
    return right


def _episode(labels: np.ndarray, way: int, generator: np.random.Generator) -> np.ndarray:
    """One support and one query video a class, "2 way"."""
    classes = generator.permutation(np.unique(labels))[:way]
    return np.stack([generator.permutation(np.flatnonzero(labels == c))[:2] for c in classes], 1)


def _mean(query: np.ndarray, support: np.ndarray) -> np.ndarray:
    first, second = (
        f.mean(1) / np.linalg.norm(f.mean(1), axis=-1)[:, None] for f in (query, support)
    )
    return first @ second.T


def _diagonal(query: np.ndarray, support: np.ndarray) -> np.ndarray:
    return np.einsum("qtd,std->qs", query, support)


def _warped(query: np.ndarray, support: np.ndarray) -> np.ndarray:
    cost = 1 - np.einsum("qtd,sud->qstu", query, support)
    total = np.full((*cost.shape[:2], cost.shape[2] + 1, cost.shape[3] + 1), np.inf)
    total[..., 0, 0] = 0
    for t in range(cost.shape[2]):
        for u in range(cost.shape[3]):
            before = np.minimum(
                total[..., t, u], np.minimum(total[..., t + 1, u], total[..., t, u + 1])
            )
            total[..., t + 1, u + 1] = cost[..., t, u] + before
    return -total[..., -1, -1]


MATCHERS = {"mean": _mean, "diagonal": _diagonal, "warped": _warped}
