"""Tokens that a neck shared by all branches gives to their necks."""

from typing import Any

import pytest
import torch

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import Episode
from fsarbench.errors import UserError
from fsarbench.evaluation.precision import forward_episode
from fsarbench.model import FewShotModel
from tests.helpers.combinations import episode

SIDE = {"type": "LadderSideNetwork", "token_width": 16, "heads": 2, "temporal": [1]}


def values(*overrides: str) -> dict[str, Any]:
    """TS-FSAR with random weights on clips of four frames."""
    changes = [
        "clips.frames=4",
        "backbone.pretrained=None",
        "text_encoder.pretrained=None",
        "neck.token_width=16",
        "branches.match.matcher.token_width=16",
        "losses.guided.token_width=16",
    ]
    return dict(load_config("tsfsar_synthact_1shot", [*changes, *overrides]).values)


def built(config: dict[str, Any]) -> FewShotModel:
    torch.manual_seed(0)
    return build_model(config, 3)


def with_bank(model: FewShotModel, task: Episode) -> Episode:
    assert model.text_encoder is not None
    bank = model.text_encoder(task.names)
    return Episode(task.support, task.query, task.labels, task.classes, task.names, None, bank)


def test_necks_of_branches_are_built_for_the_tokens_of_the_shared_neck() -> None:
    model = built(values())
    assert model.branches["match"].neck.dim == 16 * 17 // 2 + 16
    assert model.branches["side"].neck.norm.normalized_shape == (16,)
    assert model.levels == (-1, 0, 1, 2, 3)
    with torch.no_grad():
        support, query = model.eval().encode(episode(), None)
    assert support.necks["match"].shape[-2:] == (4, 152)
    # The shared neck hands the features of the backbone on.
    assert torch.equal(query.necks["neck"], query.frames)


@torch.no_grad()
def test_any_neck_for_patch_tokens_works_behind_the_shared_neck() -> None:
    config = values()
    config["neck"] = SIDE
    config["branches"] = {
        "side": {
            "neck": {"type": "PatchEnrichment", "heads": 2, "out_dim": 8},
            "prototypes": {"type": "Mean"},
            "matcher": {"type": "OTAM"},
        },
        "trunk": {
            "neck": {"type": "PatchLevels", "levels": [0]},
            "prototypes": {"type": "Mean"},
            "matcher": {"type": "OTAM"},
        },
    }
    config["losses"] = {}
    with pytest.raises(
        UserError, match=r"blocks \[0\], and the shared neck LadderSideNetwork gives"
    ):
        built(config)
    config["branches"].pop("trunk")
    outcome = built(config).eval()(episode())
    assert outcome.of("side").query.shape[-1] == 8


@torch.no_grad()
def test_cached_features_give_the_same_logits() -> None:
    model, task = built(values()).eval(), episode()
    outcome = model(task)
    support, query = model.encode(task, None)
    cached = model.match(support.tensors(), query.tensors(), outcome.text)
    torch.testing.assert_close(cached.logits, outcome.logits, rtol=0, atol=0)


def test_a_training_step_in_mixed_precision_is_finite() -> None:
    model = built(values()).train()
    task = with_bank(model, episode())
    outcome = forward_episode(model, task, bf16=True)
    sum(model.loss(outcome, task).values()).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
