"""One optimizer step on its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor
from torch.optim import SGD

from fsarbench.data.data_module import Bench
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel, tuned_parameters
from fsarbench.settings import TrainSettings
from fsarbench.training.history import History
from fsarbench.training.train import Batch, EpisodeLosses, train_step, training_batches

Build = Callable[..., FewShotModel]
SETTINGS = TrainSettings(episodes=8, workers=0)


def episodes(bench: Bench, iterations: range) -> Iterator[Batch]:
    return training_batches(bench, SETTINGS, iterations, History())


def without_dropout(model: FewShotModel) -> FewShotModel:
    model.backbone.adapter.drop.p = 0.0
    return model


def step(
    model: FewShotModel, bench: Bench, span: range, clip_grad: float | None = None
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """The step of SGD with rate 1, which is the gradient with its sign turned; and the metrics."""
    before = {name: p.detach().clone() for name, p in tuned_parameters(model).items()}
    optimizer = SGD(list(tuned_parameters(model).values()), lr=1.0)
    losses = EpisodeLosses(model, bench, SETTINGS).train()
    metrics = train_step(losses, optimizer, episodes(bench, span), span, bench.seed, clip_grad)
    after = tuned_parameters(model)
    assert all(parameter.grad is None for parameter in after.values())
    return {name: before[name] - after[name].detach() for name in before}, metrics


def test_the_gradient_of_accumulated_episodes_is_their_mean(build: Build, bench: Bench) -> None:
    together, metrics = step(without_dropout(build()), bench, range(2, 5))
    alone = [step(without_dropout(build()), bench, range(i, i + 1)) for i in range(2, 5)]
    assert len(metrics) == 3
    for name, gradient in together.items():
        mean = torch.stack([found[name] for found, _ in alone]).mean(dim=0)
        torch.testing.assert_close(gradient, mean, rtol=1e-4, atol=1e-6)
    for ours, (_, [theirs]) in zip(metrics, alone, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"])


def test_a_step_takes_as_many_episodes_as_it_spans(build: Build, bench: Bench) -> None:
    model = build()
    losses = EpisodeLosses(model, bench, SETTINGS).train()
    optimizer = SGD(list(tuned_parameters(model).values()), lr=0.1)
    batches = episodes(bench, range(5))
    train_step(losses, optimizer, batches, range(3), bench.seed)
    train_step(losses, optimizer, batches, range(3, 4), bench.seed)
    assert [int(batch["iteration"]) for batch in islice(batches, 5)] == [4]


def test_dropout_depends_on_the_iteration_and_not_on_what_came_before(
    build: Build, bench: Bench
) -> None:
    first, _ = step(build(), bench, range(3, 4))
    torch.rand(11)
    again, _ = step(build(), bench, range(3, 4))
    other, _ = step(build(), replace(bench, seed=9), range(3, 4))
    name = "backbone.adapter.scale.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


@pytest.mark.parametrize("limit", [0.01, 1e6])
def test_the_gradient_is_clipped_to_its_norm_and_the_whole_norm_is_logged(
    build: Build, bench: Bench, limit: float
) -> None:
    plain, [free] = step(build(), bench, range(1))
    clipped, [metrics] = step(build(), bench, range(1), limit)
    norm = torch.cat([gradient.flatten() for gradient in plain.values()]).norm().item()
    taken = torch.cat([gradient.flatten() for gradient in clipped.values()]).norm().item()
    assert metrics["grad_norm"] == free["grad_norm"] == pytest.approx(norm, rel=1e-4)
    assert taken == pytest.approx(min(norm, limit), rel=1e-3)


def test_the_loss_is_the_sum_of_the_losses(build: Build, bench: Bench) -> None:
    model = build()
    model.losses["again"] = model.losses["episode"]
    _, [metrics] = step(model, bench, range(1))
    assert metrics["loss"] == pytest.approx(metrics["loss_episode"] + metrics["loss_again"])
    assert 0 <= metrics["accuracy"] <= 1


def test_a_loss_that_is_not_finite_names_its_iteration(build: Build, bench: Bench) -> None:
    model = build()
    with torch.no_grad():
        model.backbone.adapter.scale.bias.fill_(float("inf"))
    with pytest.raises(UserError, match=r"iteration 7: loss = nan, loss_episode = nan\. Lower"):
        step(model, bench, range(6, 7))
