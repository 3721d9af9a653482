"""Files of features: three formats, one video or many, and messages about everything else."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fsarbench.errors import UserError
from fsarbench.runtime.feature_files import SUFFIXES, feature_shape, read_features, write_features

ONE = np.arange(6, dtype=np.float32).reshape(2, 3)
MANY = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def save(path: Path, values: np.ndarray, key: str = "features") -> Path:
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez(path, **{key: values})
    else:
        save_file({key: torch.from_numpy(values)}, path)
    return path


def fault(path: Path, row: int | None = None) -> str:
    with pytest.raises(UserError) as caught:
        read_features(path, row)
    return str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_video_and_many(suffix: str, tmp_path: Path) -> None:
    one, many = save(tmp_path / f"a{suffix}", ONE), save(tmp_path / f"b{suffix}", MANY)
    assert np.array_equal(read_features(one), ONE)
    assert np.array_equal(read_features(many, 2), MANY[2])
    assert feature_shape(one) == feature_shape(many, 0) == (2, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_feature_per_video_is_one_step(suffix: str, tmp_path: Path) -> None:
    one, many = save(tmp_path / f"a{suffix}", ONE[0]), save(tmp_path / f"b{suffix}", ONE)
    assert np.array_equal(read_features(one), ONE[:1])
    assert np.array_equal(read_features(many, 1), ONE[1:])
    assert feature_shape(one) == feature_shape(many, 0) == (1, 3)


def test_other_types_become_32_bit_floats(tmp_path: Path) -> None:
    for kind in (np.float16, np.float64, np.int64):
        found = read_features(save(tmp_path / "a.npy", ONE.astype(kind)))
        assert found.dtype == np.float32
        assert np.array_equal(found, ONE)
    save_file({"features": torch.from_numpy(ONE).bfloat16()}, tmp_path / "a.safetensors")
    assert np.array_equal(read_features(tmp_path / "a.safetensors"), ONE)


def test_written_features_are_read_again(tmp_path: Path) -> None:
    write_features(tmp_path / "a.safetensors", torch.from_numpy(MANY))
    assert np.array_equal(read_features(tmp_path / "a.safetensors", 3), MANY[3])


def test_a_changed_archive_is_read_again(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", ONE)
    read_features(path)
    save(path, ONE + 1)
    assert np.array_equal(read_features(path), ONE + 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_axes_and_rows_are_refused(suffix: str, tmp_path: Path) -> None:
    path = save(tmp_path / f"a{suffix}", MANY)
    text = fault(path)
    for part in (str(path), "(4, 2, 3)", "(steps, width)", "column 'row'"):
        assert part in text
    assert "no row 4" in fault(path, 4)
    assert "(videos, steps, width)" in fault(save(tmp_path / f"b{suffix}", ONE[0]), 0)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_another_key_is_refused(suffix: str, tmp_path: Path) -> None:
    text = fault(save(tmp_path / f"a{suffix}", ONE, "feats"))
    assert "no array 'features'" in text
    assert "feats" in text


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    wrong = MANY.copy()
    wrong[1, 0, 0] = np.nan
    path = save(tmp_path / "a.npy", wrong)
    assert "row 1, has values that are NaN" in fault(path, 1)
    assert np.array_equal(read_features(path, 0), MANY[0])


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".txt", ".pkl"])
def test_files_of_no_use_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    assert "missing" in fault(path) or "is not a file of features" in fault(path)
    path.write_bytes(b"nothing of use")
    assert str(path) in fault(path)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}, None], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", features=objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(ONE))
    for name in ("a.npy", "a.npz", "b.npy"):
        assert "without pickle" in fault(tmp_path / name)


def test_texts_and_archives_under_another_name_are_refused(tmp_path: Path) -> None:
    assert "expected floats" in fault(save(tmp_path / "a.npy", np.array(["a", "b"])))
    assert "complex" in fault(save(tmp_path / "b.npy", ONE * 1j)) or "expected floats" in fault(
        tmp_path / "b.npy"
    )
    save(tmp_path / "c.npz", ONE).rename(tmp_path / "c.npy")
    assert "rename it to .npz" in fault(tmp_path / "c.npy")
