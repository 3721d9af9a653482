"""Data sets of features: layouts, their videos and classes, and messages about faults."""

import json
from pathlib import Path

import numpy as np
import pytest

from fsarbench.config.build import build_dataset
from fsarbench.config.named_datasets import named_data_module, named_source
from fsarbench.config.validation import find_faults
from fsarbench.data.clips import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.datasets.feature_folder import FeatureFolder, is_feature_folder
from fsarbench.data.loader import ClipDataset, load_features
from fsarbench.data.readers.array_reader import ArrayReader
from fsarbench.errors import UserError

LINES = [("a/1", "ThrowDiscus", "train"), ("a/2", "brush_hair", "val"), ("a/3", "wave", "test")]
VALUES = np.arange(18, dtype=np.float32).reshape(3, 2, 3)


def table(root: Path, header: str, *lines: str, name: str = "features.csv") -> None:
    (root / name).write_text("\n".join([header, *lines]) + "\n")


@pytest.fixture
def separate(tmp_path: Path) -> Path:
    """One file per video."""
    (tmp_path / "a").mkdir()
    for (name, _, _), values in zip(LINES, VALUES, strict=True):
        np.save(tmp_path / f"{name}.npy", values)
    table(tmp_path, "path,class,split", *(f"{n}.npy,{c},{s}" for n, c, s in LINES))
    return tmp_path


@pytest.fixture
def together(tmp_path: Path) -> Path:
    """One file for all videos, whose rows are in another order than the table."""
    np.save(tmp_path / "all.npy", VALUES[::-1])
    rows = (f"all.npy,{2 - k},{c},{s},{n}" for k, (n, c, s) in enumerate(LINES))
    table(tmp_path, "path,row,class,split,id", *rows)
    return tmp_path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """One archive without a table."""
    ids, labels, splits = map(np.array, zip(*LINES, strict=True))
    np.savez(tmp_path / "all.npz", features=VALUES, ids=ids, labels=labels, splits=splits)
    return tmp_path / "all.npz"


def fault(root: Path, **options: str) -> str:
    with pytest.raises(UserError) as caught:
        FeatureFolder(str(root), **options).splits()
    return str(caught.value)


@pytest.mark.parametrize("layout", ["separate", "together", "archive"])
def test_videos_classes_and_features(layout: str, request: pytest.FixtureRequest) -> None:
    dataset = FeatureFolder(str(request.getfixturevalue(layout)))
    splits = dataset.splits()
    assert [split.classes for split in splits.values()] == [(c,) for _, c, _ in LINES]
    assert [split.readable[0] for split in splits.values()] == [
        "throw discus",
        "brush hair",
        "wave",
    ]
    for split, values in zip(splits.values(), VALUES, strict=True):
        assert np.array_equal(load_features(ArrayReader(), split, 0), values)
    assert splits["test"].videos[0].id.startswith("a/3")


def test_the_table_of_the_videos_finds_features_by_id_or_path(separate: Path) -> None:
    videos = separate / "videos"
    (videos / "a").mkdir(parents=True)
    for name, _, _ in LINES:
        (videos / f"{name}.mp4").touch()
    (separate / "a" / "3.npy").rename(separate / "third.npy")
    lines = (f"{n}.mp4,{c},{s},{'third' if n == 'a/3' else n}" for n, c, s in LINES)
    table(videos, "path,class,split,id", *lines, name="annotations.csv")
    dataset = FeatureFolder(str(separate), table=str(videos / "annotations.csv"))
    assert dataset.splits()["test"].videos[0].path == separate / "third.npy"
    assert dataset.splits()["val"].videos[0].path == separate / "a" / "2.npy"
    assert dataset.fingerprint() == AnnotatedVideos("mine", str(videos)).fingerprint()


def test_splits_may_be_missing(separate: Path) -> None:
    table(separate, "path,class,split", "a/3.npy,wave,test")
    splits = FeatureFolder(str(separate)).splits()
    assert [len(split.videos) for split in splits.values()] == [0, 0, 1]


def test_the_fingerprint_is_that_of_the_videos_while_the_table_is_unchanged(separate: Path) -> None:
    before = FeatureFolder(str(separate)).fingerprint()
    info = {"partition": before, "data_fingerprint": "that of the videos"}
    (separate / "features.json").write_text(json.dumps(info))
    assert FeatureFolder(str(separate)).fingerprint() == "that of the videos"
    table(separate, "path,class,split", "a/3.npy,wave,test")
    assert FeatureFolder(str(separate)).fingerprint() not in (before, "that of the videos")
    (separate / "features.json").write_text("[")
    with pytest.raises(UserError, match="not valid JSON"):
        FeatureFolder(str(separate)).fingerprint()


def test_what_is_missing_is_named(separate: Path) -> None:
    assert "dataset.root" in fault(separate / "nowhere")
    assert "path,class,split" in fault(separate, table="other.csv")
    (separate / "a" / "2.npy").unlink()
    text = fault(separate)
    assert "1 of 3 files" in text
    assert "a/2.npy" in text
    table(separate, "path,class,split", "a/2.mp4,wave,test")
    assert "a/2.safetensors or a/2.npy or a/2.npz" in fault(separate)


def test_a_missing_folder_or_table_is_found_before_the_model_is_built(
    separate: Path, archive: Path
) -> None:
    FeatureFolder(str(separate)).require_videos()
    FeatureFolder(str(archive)).require_videos()
    for wrong in (separate / "nowhere", separate / "a"):
        with pytest.raises(UserError, match=r"There is no (folder|table)"):
            FeatureFolder(str(wrong)).require_videos()


def test_wrong_lines_are_named(separate: Path) -> None:
    for line, part in {
        "a/1.npy,wave,tset": "unknown split 'tset'",
        "../1.npy,wave,test": "may not be absolute",
        "a/1.npy,wave,val": "a class belongs to one split",
        "a/3.npy,wave,test": "already listed",
    }.items():
        table(separate, "path,class,split", "a/3.npy,wave,test", line)
        assert part in fault(separate)
    table(separate, "path,row,class,split", "a/1.npy,-1,wave,test")
    assert "expected a number from 0" in fault(separate)


def test_an_archive_without_labels_or_with_other_lengths_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, features=VALUES, splits=np.array(["test"] * 3))
    assert "'labels' is missing; expected 3 values" in fault(path)
    np.savez(path, features=VALUES, labels=np.array([0, 1]), splits=np.array(["test"] * 3))
    assert "'labels' has the shape (2,); expected 3 values" in fault(path)
    np.savez(path, features=VALUES, labels=np.arange(3), splits=np.array(["test", "x", "val"]))
    assert "row 1: unknown split 'x'" in fault(path)
    np.savez(path, features=VALUES, labels=np.arange(3), splits=np.array(["test"] * 3))
    assert FeatureFolder(str(path)).splits()["test"].classes == ("0", "1", "2")


def test_two_shapes_in_a_split_name_both_videos(separate: Path) -> None:
    np.save(separate / "a" / "2.npy", VALUES[0, :1])
    table(separate, "path,class,split", "a/1.npy,wave,test", "a/2.npy,wave,test")
    split = FeatureFolder(str(separate)).splits()["test"]
    data = ClipDataset(split, ArrayReader(), ClipSettings())
    with pytest.raises(
        UserError, match=r"a/2\.npy have the shape \(1, 3\), those of a/1.npy \(2, 3\)"
    ):
        data[1]


def test_a_folder_and_an_archive_are_found_by_their_path(together: Path, archive: Path) -> None:
    for path in (together, archive):
        assert is_feature_folder(path)
        data = named_data_module(str(path))
        assert isinstance(data, DataModule)
        assert isinstance(data.reader, ArrayReader)
        with pytest.raises(UserError, match="no videos to decode"):
            named_source(str(path))
    assert not is_feature_folder(together / "nothing")


def test_decoding_features_is_refused(separate: Path) -> None:
    reader = ArrayReader()
    for call in (lambda: reader.count(separate), lambda: reader.read(separate, [0])):
        with pytest.raises(UserError, match="no frames"):
            call()


def test_training_and_test_classes_may_be_features_of_two_data_sets(
    separate: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    np.save(other / "all.npy", VALUES)
    table(other, "path,row,class,split", "all.npy,0,swim,test", "all.npy,1,kick,test")
    values = {
        "dataset": {
            "type": "FeatureFolder",
            "root": str(separate),
            "test": {"type": "FeatureFolder", "root": str(other)},
        },
        "backbone": {"type": "Precomputed"},
        "readout": {"type": "TextOnly"},
    }
    dataset = build_dataset(values)
    assert dataset.splits()["train"].classes == ("ThrowDiscus",)
    assert dataset.splits()["test"].classes == ("swim", "kick")
    assert dataset.feature_info == {}
    info = {"weights": "w", "clips": {"frames": 8}, "dataset": "a"}
    (separate / "features.json").write_text(json.dumps(info))
    (other / "features.json").write_text(json.dumps({**info, "dataset": "b"}))
    assert build_dataset(values).feature_info["dataset"] == "a -> b"
    (other / "features.json").write_text(json.dumps({**info, "weights": "v"}))
    with pytest.raises(UserError, match=r"other weights .*v, not w"):
        _ = build_dataset(values).feature_info
    values["dataset"]["test"] = {"type": "SynthAct"}
    faults = {fault.key: fault.message for fault in find_faults(values)}
    assert "SynthAct needs PyAVReader" in faults["dataset.test.type"]
