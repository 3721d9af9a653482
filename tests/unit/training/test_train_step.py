"""A single optimizer step: gradients, random numbers and metrics."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor
from torch.optim import SGD

from fsarbench.data.data_module import DataModule
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.settings import TrainSettings
from fsarbench.training.history import History
from fsarbench.training.train import Batch, EpisodeLosses, train_step, training_batches

Build = Callable[..., FewShotModel]
SETTINGS = TrainSettings(episodes=8, workers=0)


def episodes(data_module: DataModule, iterations: range) -> Iterator[Batch]:
    return training_batches(data_module, SETTINGS, iterations, History())


def without_dropout(model: FewShotModel) -> FewShotModel:
    model.backbone.adapter.drop.p = 0.0
    return model


def step(
    model: FewShotModel, data_module: DataModule, span: range, clip_grad: float | None = None
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Gradient, from a step of SGD with learning rate 1, and metrics."""
    before = {name: p.detach().clone() for name, p in trainable_parameters(model).items()}
    optimizer = SGD(list(trainable_parameters(model).values()), lr=1.0)
    losses = EpisodeLosses(model, data_module, SETTINGS).train()
    metrics = train_step(
        losses, optimizer, episodes(data_module, span), span, data_module.seed, clip_grad
    )
    after = trainable_parameters(model)
    assert all(parameter.grad is None for parameter in after.values())
    return {name: before[name] - after[name].detach() for name in before}, metrics


def test_the_gradient_of_accumulated_episodes_is_their_mean(
    build: Build, data_module: DataModule
) -> None:
    together, metrics = step(without_dropout(build()), data_module, range(2, 5))
    single = [step(without_dropout(build()), data_module, range(i, i + 1)) for i in range(2, 5)]
    assert len(metrics) == 3
    for name, gradient in together.items():
        mean = torch.stack([gradients[name] for gradients, _ in single]).mean(dim=0)
        torch.testing.assert_close(gradient, mean, rtol=1e-4, atol=1e-6)
    for of_episode, (_, [expected]) in zip(metrics, single, strict=True):
        assert of_episode["loss"] == pytest.approx(expected["loss"])


def test_a_step_takes_one_episode_per_iteration(build: Build, data_module: DataModule) -> None:
    model = build()
    losses = EpisodeLosses(model, data_module, SETTINGS).train()
    optimizer = SGD(list(trainable_parameters(model).values()), lr=0.1)
    batches = episodes(data_module, range(5))
    train_step(losses, optimizer, batches, range(3), data_module.seed)
    train_step(losses, optimizer, batches, range(3, 4), data_module.seed)
    assert [int(batch["iteration"]) for batch in islice(batches, 5)] == [4]


def test_dropout_depends_on_seed_and_iteration_only(build: Build, data_module: DataModule) -> None:
    first, _ = step(build(), data_module, range(3, 4))
    torch.rand(11)
    again, _ = step(build(), data_module, range(3, 4))
    other, _ = step(build(), replace(data_module, seed=9), range(3, 4))
    name = "backbone.adapter.scale.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])


@pytest.mark.parametrize("limit", [0.01, 1e6])
def test_the_gradient_is_clipped_and_its_unclipped_norm_is_logged(
    build: Build, data_module: DataModule, limit: float
) -> None:
    plain, [plain_metrics] = step(build(), data_module, range(1))
    clipped, [metrics] = step(build(), data_module, range(1), limit)
    norm = torch.cat([gradient.flatten() for gradient in plain.values()]).norm().item()
    clipped_norm = torch.cat([gradient.flatten() for gradient in clipped.values()]).norm().item()
    assert metrics["grad_norm"] == plain_metrics["grad_norm"] == pytest.approx(norm, rel=1e-4)
    assert clipped_norm == pytest.approx(min(norm, limit), rel=1e-3)


def test_the_loss_is_the_sum_of_the_losses(build: Build, data_module: DataModule) -> None:
    model = build()
    model.losses["again"] = model.losses["episode"]
    _, [metrics] = step(model, data_module, range(1))
    assert metrics["loss"] == pytest.approx(metrics["loss_episode"] + metrics["loss_again"])
    assert 0 <= metrics["accuracy"] <= 1


def test_a_loss_that_is_not_finite_is_reported_with_its_iteration(
    build: Build, data_module: DataModule
) -> None:
    model = build()
    with torch.no_grad():
        model.backbone.adapter.scale.bias.fill_(float("inf"))
    with pytest.raises(UserError, match=r"iteration 7: loss = nan, loss_episode = nan\. Lower"):
        step(model, data_module, range(6, 7))
