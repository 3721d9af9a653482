"""Temporal coherence of HyRSM++ against loops over pairs of frames, in float64."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.losses.temporal_coherence import TemporalCoherence
from tests.helpers.combinations import episode as small_episode
from tests.helpers.combinations import values

N, K, Q, T, D = 3, 2, 4, 6, 5
SETTINGS = [(1, 8.0, 1.0), (2, 0.5, 3.0), (0, 2.0, 1.0), (T, 1.0, 1.0)]


def draw(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return drawn.requires_grad_()


def episode() -> Episode:
    return Episode(
        support=torch.zeros(N, K, T, 3, 1, 1),
        query=torch.zeros(Q, T, 3, 1, 1),
        labels=torch.tensor([0, 1, 2, 0]),
        classes=torch.arange(N),
    )


def outcome(**extra: Any) -> Outcome:
    return Outcome(
        draw(Q, N, seed=0),
        draw(N, K, T, D, seed=1),
        draw(Q, T, D, seed=2),
        prototypes=draw(Q, N, 1, T, D, seed=3),
        matched=draw(Q, T, D, seed=4),
        **extra,
    )


def pair_cost(
    video: Tensor, pair: tuple[int, int], window: int, balance: float, outside: float
) -> Tensor:
    one, other = video[pair[0]], video[pair[1]]
    distance = 1 - (one * other).sum() / (one.square().sum() * other.square().sum()).sqrt()
    gap = abs(pair[0] - pair[1])
    if gap <= window:
        return distance / (gap**2 + 1)
    margin = 1 - math.exp(-((gap - window) ** 2) / balance)
    return outside * (margin - distance).clamp(min=0)


def naive(videos: list[Tensor], setting: tuple[int, float, float]) -> Tensor:
    costs = [
        pair_cost(video, (i, j), *setting) for video in videos for i in range(T) for j in range(T)
    ]
    return sum(costs) / len(costs)


def videos_of(seen: Outcome, reads: str) -> tuple[list[Tensor], list[Tensor]]:
    """Support and query videos that a loss reads."""
    if reads == "matched":
        assert seen.prototypes is not None
        assert seen.matched is not None
        return [p for query in seen.prototypes for n in query for p in n], list(seen.matched)
    if reads == "backbone":
        return [shot for shots in seen.support for shot in shots], list(seen.query)
    return list(seen.auxiliary[reads][: N * K]), list(seen.auxiliary[reads][N * K :])


@pytest.mark.parametrize("reads", ["matched", "backbone", "attended"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_value_and_gradients(setting: tuple[int, float, float], reads: str) -> None:
    attended = draw(N * K + Q, T, D, seed=5)
    seen = outcome(auxiliary={"attended": attended})
    window, balance, outside = setting
    loss = TemporalCoherence(reads=reads, window=window, balance=balance, outside=outside)
    got = loss(seen, episode())
    support, query = videos_of(seen, reads)
    want = naive(support, setting) + naive(query, setting)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-12)
    inputs = [seen.support, seen.query, seen.prototypes, seen.matched, attended]
    options: Any = {"allow_unused": True, "materialize_grads": True}
    ours, theirs = (torch.autograd.grad(value, inputs, **options) for value in (got, want))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)
    assert sum(gradient.abs().max() > 0 for gradient in ours) == (1 if reads == "attended" else 2)


def test_features_that_are_not_there_are_refused() -> None:
    plain = Outcome(draw(Q, N, seed=0), draw(N, K, T, D, seed=1), draw(Q, T, D, seed=2))
    with pytest.raises(UserError, match=r"needs the prototypes of one matcher.*branch="):
        TemporalCoherence()(plain, episode())
    with pytest.raises(UserError, match=r"reads is 'attended', expected .*there are: none"):
        TemporalCoherence(reads="attended")(plain, episode())


def test_a_loss_reads_the_prototypes_of_its_branch() -> None:
    mean = {"prototypes": {"type": "Mean"}, "matcher": {"type": "BiMHM"}}
    each = {"prototypes": {"type": "EachShot"}, "matcher": {"type": "BiMHM"}}
    config = {
        **values("Frozen", "Mean", "BiMHM"),
        "branches": {"one": mean, "two": each},
        "losses": {
            name: {"type": "TemporalCoherence", "branch": name, "reads": "matched"}
            for name in ("one", "two")
        },
    }
    del config["prototypes"], config["matcher"]
    torch.manual_seed(0)
    model = build_model(config)
    seen = model(small_episode())
    assert seen.prototypes is None
    costs = model.loss(seen, small_episode())
    assert costs["one"] != costs["two"]


def test_the_config_trains_as_released() -> None:
    losses = load_config("hyrsmpp_synthact_1shot").values["losses"]
    assert losses["coherence"] == {"type": "TemporalCoherence", "weight": 0.1}
    assert losses["frames"]["auxiliary"] == "attended"
