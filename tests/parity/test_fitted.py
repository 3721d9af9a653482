"""Classifiers fitted on the support set against scikit-learn and naive float64 forms."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

from fsarbench.errors import UserError
from fsarbench.functional.support_set import Normalise, Pooling
from fsarbench.interfaces import Matcher
from fsarbench.matchers.logistic_regression import LogisticRegression
from fsarbench.matchers.nearest_neighbour import NearestNeighbour
from fsarbench.matchers.ridge import Ridge

EPISODES = 200
N, Q, T, D = 5, 5, 4, 12
SETTINGS: list[tuple[Pooling, Normalise]] = [
    ("mean", "l2"),
    ("mean", "none"),
    ("flatten", "l2"),
    ("flatten", "none"),
]


def episode(seed: int, shot: int) -> tuple[Tensor, Tensor]:
    """Queries and shots around class centres, in float64."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(N, 1, 1, D, dtype=torch.float64, generator=generator)
    noise = torch.randn(N, shot + 1, T, D, dtype=torch.float64, generator=generator)
    videos = centres + 1.5 * noise
    return videos[:, 0], videos[None, :, 1:]


def flat(videos: Tensor, pooling: Pooling, normalise: Normalise) -> np.ndarray:
    values = videos.mean(-2) if pooling == "mean" else videos.flatten(-2)
    array = values.reshape(-1, values.shape[-1]).numpy()
    if normalise == "l2":
        array = array / np.sqrt((array**2).sum(1, keepdims=True))
    return array


@pytest.mark.parametrize("name", ["ridge", "logistic regression"])
def test_scores_equal_scikit_learns_on_200_episodes(name: str) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs the test extra")
    worst = 0.0
    for seed in range(EPISODES):
        (pooling, normalise), shot = SETTINGS[seed % 4], (1, 2, 5)[seed % 3]
        query, shots = episode(seed, shot)
        train, test = (flat(x, pooling, normalise) for x in (shots, query))
        labels = np.repeat(np.arange(N), shot)
        strength = (0.1, 1.0, 10.0)[seed % 3]
        matcher: Matcher
        if name == "ridge":
            matcher = Ridge(strength, pooling, normalise)
            model = linear_model.Ridge(alpha=strength).fit(train, np.eye(N)[labels])
            want = model.predict(test)
        else:
            matcher = LogisticRegression(strength, pooling, normalise)
            model = linear_model.LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
            want = model.fit(train, labels).decision_function(test)
        got = matcher(query, shots).numpy()
        worst = max(worst, float(np.abs(got - want).max()))
    assert worst < 1e-4


def naive_ridge(query: Tensor, shots: Tensor) -> Tensor:
    """The primal normal equations, with a column of ones that is not penalised."""
    x = shots.mean(-2).flatten(0, 1)
    x, z = (v / v.norm(dim=-1, keepdim=True) for v in (x, query.mean(-2)))
    x, z = (torch.cat([v, torch.ones(len(v), 1, dtype=v.dtype)], 1) for v in (x, z))
    targets = torch.eye(N, dtype=x.dtype).repeat_interleave(shots.shape[1], 0)
    penalty = torch.diag(torch.tensor([0.5] * D + [0.0], dtype=x.dtype))
    return z @ torch.linalg.inv(x.T @ x + penalty) @ x.T @ targets


def naive_neighbour(query: Tensor, shots: Tensor) -> Tensor:
    x, z = (v.mean(-2) / v.mean(-2).norm(dim=-1, keepdim=True) for v in (shots, query))
    rows = [
        -min((((q - each) ** 2).sum() for each in own), key=lambda d: d.item())
        for q in z
        for own in x
    ]
    return torch.stack(rows).view(len(query), len(shots))


def naive_logistic(query: Tensor, shots: Tensor) -> Tensor:
    """Newton's method on weights and intercepts by automatic differentiation, to convergence."""
    x = shots.mean(-2).flatten(0, 1)
    x, z = (v / v.norm(dim=-1, keepdim=True) for v in (x, query.mean(-2)))
    own = torch.arange(N).repeat_interleave(shots.shape[1])

    def objective(flat_weights: Tensor) -> Tensor:
        w = flat_weights.view(N, D + 1)
        logits = x @ w[:, :D].T + w[:, D]
        entropy = -logits.log_softmax(-1)[torch.arange(len(x)), own].sum()
        # The last term only fixes what the logits' common constant is.
        return entropy + (w[:, :D] ** 2).sum() / 4 + w[:, D].sum() ** 2

    weights = torch.zeros(N * (D + 1), dtype=x.dtype)
    for _ in range(12):
        slope = jacobian(objective, weights, create_graph=True)
        curvature = hessian(objective, weights, create_graph=True)
        weights = weights - torch.linalg.solve(curvature, slope)
    w = weights.view(N, D + 1)
    return z @ w[:, :D].T + w[:, D]


CASES: dict[str, tuple[Matcher, Callable[[Tensor, Tensor], Tensor]]] = {
    "Ridge": (Ridge(0.5), naive_ridge),
    "NearestNeighbour": (NearestNeighbour(), naive_neighbour),
    "LogisticRegression": (LogisticRegression(2.0), naive_logistic),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shot", [1, 3])
def test_values_and_gradients(case: str, shot: int) -> None:
    matcher, naive = CASES[case]
    query, shots = episode(7, shot)
    query.requires_grad_()
    shots.requires_grad_()
    got, want = matcher(query, shots), naive(query, shots[0])
    torch.testing.assert_close(got, want, rtol=0, atol=1e-9)
    direction = torch.linspace(-1, 1, N * N, dtype=torch.float64).view(N, N)
    ours = torch.autograd.grad((got * direction).sum(), [query, shots])
    theirs = torch.autograd.grad((want * direction).sum(), [query, shots])
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_shared_prototypes_equal_those_of_each_query_and_the_meta_device_runs(case: str) -> None:
    matcher, _ = CASES[case]
    query, shots = episode(3, 2)
    spread = shots.expand(N, -1, -1, -1, -1)
    torch.testing.assert_close(matcher(query, shots), matcher(query, spread), rtol=0, atol=1e-10)
    assert matcher(query.to("meta"), shots.to("meta")).shape == (N, N)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Ridge(0.0),
        lambda: Ridge(temperature=0.0),
        lambda: LogisticRegression(0.0),
        lambda: LogisticRegression(steps=0),
        lambda: LogisticRegression(temperature=0.0),
        lambda: NearestNeighbour(temperature=0.0),
    ],
)
def test_wrong_arguments_are_refused(build: Callable[[], Matcher]) -> None:
    with pytest.raises(UserError, match="expected"):
        build()
