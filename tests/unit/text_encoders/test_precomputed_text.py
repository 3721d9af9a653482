"""Text features from a file: found by class name, and messages about faults."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.text_encoders import PrecomputedText

NAMES = np.array(["throw discus", "wave", "put a/b"])
FEATURES = np.random.default_rng(0).normal(size=(3, 2, 4))


def encoder(path: Path, **arrays: np.ndarray) -> PrecomputedText:
    np.savez(path / "text.npz", **{"classes": NAMES, "features": FEATURES, **arrays})
    return PrecomputedText(str(path / "text.npz"))


def test_features_are_found_by_class_name(tmp_path: Path) -> None:
    found = encoder(tmp_path)
    assert (found.sentences, found.dim) == (2, 4)
    expected = torch.from_numpy(FEATURES[[2, 0]]).float()
    assert torch.equal(found(["put a/b", "throw discus"]), expected)
    single = encoder(tmp_path, features=FEATURES[:, 0])
    assert single(["wave"]).shape == (1, 1, 4)


def test_on_the_meta_device_any_name_has_a_shape(tmp_path: Path) -> None:
    encoder(tmp_path)
    with torch.device("meta"):
        empty = PrecomputedText(str(tmp_path / "text.npz"))
    assert empty(["class 0"]).shape == (1, 2, 4)
    assert empty(["class 0"]).is_meta


def test_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no text features of the class 'wavy'.*'wave'"):
        encoder(tmp_path)(["wavy"])
    with pytest.raises(UserError, match=r"shape \(2, 4\) for 3 classes"):
        encoder(tmp_path, features=FEATURES[0])
    with pytest.raises(UserError, match="NaN"):
        encoder(tmp_path, features=FEATURES * np.nan)
    np.savez(tmp_path / "other.npz", features=FEATURES)
    with pytest.raises(UserError, match="no array 'classes'"):
        PrecomputedText(str(tmp_path / "other.npz"))
    with pytest.raises(UserError, match="missing"):
        PrecomputedText(str(tmp_path / "nowhere.npz"))
