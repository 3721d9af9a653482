"""Config without matcher and prototypes, valid if no loss or readout uses the matcher."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from fsarbench.config.build import build_model
from fsarbench.config.validation import find_faults
from fsarbench.experiments.dry_run import dry_run
from fsarbench.readouts.text_only import TextOnly
from tests.helpers.combinations import WAY, episode, values


def zero_shot(**changed: Any) -> dict[str, Any]:
    plain = values("Frozen", "Mean", "MeanCosine")
    for slot in ("prototypes", "matcher", "losses"):
        del plain[slot]
    return {**plain, "readout": {"type": "TextOnly"}, **changed}


def missing(config: Mapping[str, Any]) -> list[str]:
    return [f"{fault.key}: {fault.message}" for fault in find_faults(config)]


def test_zero_shot_needs_neither() -> None:
    assert missing(zero_shot()) == []
    components = {part.slot: part.component for part in dry_run(zero_shot())}
    assert components["readout"] == "TextOnly"
    assert not {"matcher", "prototypes"} & components.keys()


def test_losses_of_text_need_neither() -> None:
    text = {
        name: {"type": name} for name in ("VideoTextKL", "VideoTextContrast", "FrameClassifier")
    }
    config = zero_shot(losses=text, adapter={"type": "STAdapter"})
    assert missing(config) == []
    dry_run(config)


@torch.no_grad()
def test_the_support_set_is_not_used() -> None:
    model, task = build_model(zero_shot()).eval(), episode()
    outcome = model(task)
    assert outcome.text is not None
    assert outcome.logits.shape == (4, WAY)
    assert outcome.logits.unique().numel() == 1
    torch.testing.assert_close(model.scores(outcome), TextOnly()(outcome))


@pytest.mark.parametrize(
    ("changed", "who"),
    [
        ({"readout": {"type": "MatchOnly"}}, "MatchOnly"),
        ({"readout": {"type": "ArithmeticFusion"}}, "ArithmeticFusion"),
        ({"losses": {"match": {"type": "EpisodeCrossEntropy"}}}, "EpisodeCrossEntropy"),
    ],
)
def test_users_of_the_match_need_both(changed: dict[str, Any], who: str) -> None:
    found = missing(zero_shot(**changed))
    assert len(found) == 2
    for slot, fault in zip(("prototypes", "matcher"), found, strict=True):
        assert f"the slot '{slot}' is missing" in fault
        assert f"{who} cannot do without" in fault


def test_a_matcher_needs_prototypes() -> None:
    found = missing(zero_shot(matcher={"type": "OTAM"}))
    assert len(found) == 1
    assert "the slot 'prototypes' is missing" in found[0]


def test_an_empty_config_names_all_that_is_missing() -> None:
    found = "\n".join(missing({}))
    for slot in ("dataset", "backbone", "prototypes", "matcher", "readout"):
        assert f"the slot '{slot}' is missing" in found


def test_a_loss_of_a_base_config_is_left_out_by_none() -> None:
    config = zero_shot(losses={"text": {"type": "VideoTextKL"}, "frames": None})
    assert missing(config) == []
    losses = [part for part in dry_run(config) if part.slot == "losses"]
    assert [part.component for part in losses] == ["VideoTextKL"]
