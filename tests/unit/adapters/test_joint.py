"""Adapter that attends across the videos of an episode: one call, no cache, transductive."""

from dataclasses import replace

import pytest
import torch

from fsarbench.config.build import build_model
from fsarbench.data.clips import ClipSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import choose_cache_policy
from fsarbench.model import FewShotModel, trainable_parameters
from tests.helpers.combinations import SHOT, WAY, episode, values


@pytest.fixture
def model() -> FewShotModel:
    torch.manual_seed(0)
    built = build_model(values("TaskAdapter", "Mean", "MeanCosine"))
    with torch.no_grad():
        for parameter in trainable_parameters(built).values():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return built.eval()


@torch.no_grad()
def test_support_and_query_share_one_call(model: FewShotModel) -> None:
    calls = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: calls.append(inputs[0].shape[0]))
    task = episode()
    outcome = model(task)
    assert calls == [WAY * SHOT + len(task.query)]
    videos = torch.cat([task.support.flatten(0, 1), task.query])
    features = model.backbone(videos)
    torch.testing.assert_close(outcome.support.flatten(0, 1), features[: WAY * SHOT])
    torch.testing.assert_close(outcome.query, features[WAY * SHOT :])


@torch.no_grad()
def test_a_query_attends_to_other_queries_and_the_support(model: FewShotModel) -> None:
    task = episode()
    first = model(task).query[0]
    first_query = replace(task, query=task.query[:1], labels=task.labels[:1])
    assert (model(first_query).query[0] - first).abs().max() > 1e-3
    other = replace(task, support=task.support.flip(-1))
    assert (model(other).query[0] - first).abs().max() > 1e-3


def test_no_cache(model: FewShotModel) -> None:
    route = choose_cache_policy(model, ClipSettings(), "auto")
    assert not route.cached
    assert "TaskAdapter attends across the videos" in route.why
    with pytest.raises(UserError, match="TaskAdapter"):
        choose_cache_policy(model, ClipSettings(), True)


@torch.no_grad()
def test_only_the_last_blocks_attend_to_other_videos() -> None:
    torch.manual_seed(0)
    config = values("TaskAdapter", "Mean", "MeanCosine")
    config["adapter"]["last"] = 1
    adapters = build_model(config).backbone.adapters
    assert [adapter.adapted is not None for adapter in adapters] == [False, False, False, True]


def test_zero_init_is_an_option() -> None:
    for zero in (True, False):
        config = values("TaskAdapter", "Mean", "MeanCosine")
        config["adapter"]["zero_init"] = zero
        inner = build_model(config).backbone.adapters[-1].adapted
        assert (inner.task.up.weight.count_nonzero() == 0) == zero
        # The others start at zero in either case.
        assert inner.time.up.weight.count_nonzero() == 0
