"""Given features pass through unchanged; what does not fit them is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fsarbench.adapters import FullFineTuning
from fsarbench.backbones import Precomputed
from fsarbench.config.build import build_model, with_feature_sizes
from fsarbench.config.validation import find_faults
from fsarbench.errors import UserError
from fsarbench.experiments.contract_checks import checked_components
from fsarbench.matchers import OTAM
from fsarbench.model import FewShotModel
from fsarbench.prototypes import Mean
from fsarbench.readouts import MatchOnly


def config(root: Path, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": {"type": "FeatureFolder", "root": str(root)},
        "backbone": {"type": "Precomputed"},
        "prototypes": {"type": "Mean"},
        "matcher": {"type": "OTAM"},
        "readout": {"type": "MatchOnly"},
        **changes,
    }


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.npz"
    labels, splits = np.arange(6) % 2, np.array(["test"] * 6)
    np.savez(path, features=np.zeros((6, 4, 5)), labels=labels, splits=splits)
    return path


def test_features_pass_unchanged_and_frames_are_refused() -> None:
    backbone = Precomputed(dim=5, steps=4)
    features = torch.randn(3, 4, 5)
    assert backbone(features, None) is features
    assert backbone.output_frames(8) == 4
    with pytest.raises(UserError, match='expected a tensor "V S D"'):
        backbone(torch.zeros(3, 4, 3, 8, 8), None)
    with pytest.raises(UserError, match=r"3 wide.*backbone\.dim = 5"):
        backbone(torch.zeros(3, 4, 3), None)
    with pytest.raises(UserError, match="FullFineTuning adapts the blocks"):
        backbone.adapt([FullFineTuning()])
    with pytest.raises(UserError, match="dim and steps are missing"):
        Precomputed(dim=5)


def test_contracts_hold_for_features() -> None:
    model = FewShotModel(Precomputed(5, 4), Mean(), OTAM(), MatchOnly())
    with checked_components(model):
        support = model.encode_support(torch.zeros(2, 1, 4, 5), None)
    assert support.frames.shape == (2, 1, 4, 5)
    with (
        pytest.raises(UserError, match="does not accept its argument 'frames'"),
        checked_components(model),
    ):
        model.encode_query(torch.zeros(2, 4, 3, 8, 8))


def test_sizes_come_from_the_data_set(archive: Path) -> None:
    values = config(archive)
    assert with_feature_sizes(values)["backbone"] == {"type": "Precomputed", "dim": 5, "steps": 4}
    assert values["backbone"] == {"type": "Precomputed"}
    model = build_model(values)
    assert (model.backbone.dim, model.backbone.output_frames(8)) == (5, 4)


def test_another_size_names_both(archive: Path) -> None:
    wrong = config(archive, backbone={"type": "Precomputed", "dim": 7})
    with pytest.raises(UserError, match=r"backbone\.dim is 7, but the features in .* dim = 5"):
        build_model(wrong)
    # Both sizes given: the data set is read only where there is one.
    given = {"type": "Precomputed", "dim": 7, "steps": 4}
    model = build_model(config(archive.parent / "nowhere", backbone=given))
    assert model.backbone.dim == 7
    with pytest.raises(UserError, match=r"backbone\.dim is 7"):
        with_feature_sizes(config(archive, backbone=given), compare=True)


def test_parts_that_do_not_fit_are_faults(archive: Path) -> None:
    assert not list(find_faults(config(archive)))
    assert not list(find_faults(config(archive, adapter={"type": "Frozen"}, reader=None)))
    for changes, key, part in [
        ({"adapter": {"type": "LoRA"}}, "adapter.type", "LoRA adapts the blocks"),
        ({"dataset": {"type": "SynthAct"}}, "backbone.type", "PyAVReader reads frames"),
        ({"reader": {"type": "PyAVReader"}}, "backbone.type", "PyAVReader reads frames"),
        (
            {"backbone": {"type": "TimmCNN", "model": "resnet18"}},
            "backbone.type",
            "FeatureFolder gives features, and TimmCNN takes frames",
        ),
    ]:
        (found,) = find_faults(config(archive, **changes))
        assert found.key == key
        assert part in found.message


def test_necks_that_read_tokens_are_refused_by_name(archive: Path) -> None:
    branch = {"prototypes": {"type": "Mean"}, "matcher": {"type": "OTAM"}}
    for neck in ("PatchEnrichment", "PatchLevels"):
        branches = {"one": {"neck": {"type": neck}, **branch}}
        parts = {"prototypes": None, "matcher": None, "branches": branches}
        for values in (config(archive, neck={"type": neck}), config(archive, **parts)):
            (found,) = find_faults(values)
            assert found.key.endswith("neck.type")
            assert f"{neck} reads patch tokens, and Precomputed gives none" in found.message
    neck = build_model(config(archive, neck={"type": "TemporalTransformer", "heads": 1})).neck
    assert neck is not None
