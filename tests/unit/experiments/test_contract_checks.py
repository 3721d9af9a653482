"""Messages name the component that violates the interface of its slot or raises an exception."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fsarbench.config.build import build_on_meta
from fsarbench.config.loading import load_config
from fsarbench.errors import UserError
from fsarbench.experiments.dry_run import dry_run, run_episode
from fsarbench.interfaces import Backbone, Loss, Matcher, PrototypeBuilder
from fsarbench.model import FewShotModel

VALUES = load_config("mafsar_synthact_1shot").values


class ChangedMatcher(Matcher):
    """Matcher that applies a function to its result."""

    def __init__(self, change: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.change = change

    def forward(self, query: Any, prototypes: Any) -> Any:
        return self.change(torch.zeros(query.shape[0], prototypes.shape[1], device=query.device))


class HalfTheFrames(Backbone):
    """Backbone that returns the features of every second frame only."""

    def __init__(self, inner: Backbone) -> None:
        super().__init__()
        self.inner = inner
        self.dim, self.image_size = inner.dim, inner.image_size
        self.joint, self.uses_text = inner.joint, inner.uses_text

    def adapt(self, adapters: Any) -> None:
        raise NotImplementedError

    def forward(self, frames: Any, text: Any = None) -> Any:
        return self.inner(frames, text)[:, ::2]


class ChangedPrototypes(PrototypeBuilder):
    """Prototype builder that applies a function to its result."""

    def __init__(self, change: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.change = change

    def forward(self, support: Any, query: Any, text: Any) -> Any:
        return self.change(support.mean(1)[None, :, None], query)


class FailingLoss(Loss):
    """Loss with a misspelt attribute."""

    weight = 1.0

    def forward(self, outcome: Any, episode: Any) -> Any:
        return outcome.logit


def message_after(change_model: Callable[[FewShotModel], None]) -> str:
    model = build_on_meta(VALUES)
    change_model(model)
    with pytest.raises(UserError) as error:
        run_episode(model, VALUES)
    message = str(error.value)
    assert "\n" not in message
    assert "Tensor[" not in message
    return message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x: x[:, :2], ["[10, 5], got [10, 2]", "axis N (classes", "is 2, expected 5"]),
        (lambda x: x[None], ["3 axes, expected 2"]),
        (lambda x: x.long(), ["expected a tensor of type float, got torch.int64"]),
        (lambda x: None, ["expected a tensor", "got NoneType"]),
        (
            lambda x: x.nothing,
            ["ChangedMatcher.forward fails (test_contract_checks.py:", "AttributeError"],
        ),
        (lambda x: x @ x, ["ChangedMatcher.forward fails", "RuntimeError", "query [10, 8, 128]"]),
    ],
)
def test_faults_of_a_matcher(change: Callable[[Tensor], Any], expected: list[str]) -> None:
    message = message_after(lambda model: setattr(model, "matcher", ChangedMatcher(change)))
    assert message.startswith("matcher: ChangedMatcher.forward")
    for text in expected:
        assert text in message


def test_a_backbone_with_too_few_frames() -> None:
    message = message_after(lambda m: setattr(m, "backbone", HalfTheFrames(m.backbone)))
    assert message.startswith("backbone: HalfTheFrames.forward violates the interface")
    assert '"V S D" = [5, 8, 128], got [5, 4, 128]' in message
    assert message.endswith("axis S (steps: features of a video) is 4, expected 8.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p, q: (p[..., ::2, :], q), "value 1 of 2: expected a tensor"),
        (lambda p, q: (p, q[:, ::2]), "value 2 of 2: expected a tensor"),
        (lambda p, q: p, "expected a tuple of 2 tensors, got Tensor"),
    ],
)
def test_faults_of_a_prototype_builder(
    change: Callable[[Tensor, Tensor], Any], expected: str
) -> None:
    message = message_after(lambda model: setattr(model, "prototypes", ChangedPrototypes(change)))
    assert message.startswith("prototypes: ChangedPrototypes.forward")
    assert expected in message


def test_a_loss_is_named_by_its_key() -> None:
    message = message_after(lambda m: setattr(m, "losses", nn.ModuleDict({"mine": FailingLoss()})))
    assert message.startswith("losses.mine: FailingLoss.forward fails (test_contract_checks.py:")
    assert "no attribute 'logit'" in message


def test_a_constructor_that_fails_is_named_with_its_slot() -> None:
    loaded = load_config("mafsar_synthact_1shot", ["adapter.reduction=1000"])
    with pytest.raises(UserError, match=r"adapter: FineGrainedMultimodal: .*reduction"):
        dry_run(loaded.values)


def test_hooks_are_removed() -> None:
    model = build_on_meta(VALUES)
    run_episode(model, VALUES)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
