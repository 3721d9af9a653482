"""Small split lists in the layouts of TRX and CLIP-FSAR, and empty files for their videos."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from fsarbench.data.importing.from_lists import Imported, import_lists
from fsarbench.data.importing.known_lists import KnownDataset
from fsarbench.data.importing.split_lists import read_lists
from fsarbench.errors import UserError

DATASET = KnownDataset("made", "Made")
TIMED = KnownDataset("made", "Made", timed=True)

# Video ids by split and class.
Videos = Mapping[str, Mapping[str, Sequence[str]]]
VIDEOS: Videos = {
    "train": {"ThrowDiscus": ["v_a1", "v_a2"], "brush_hair": ["b (1)", "b2"]},
    "val": {"CliffDiving": ["v_c1", "v_c2"]},
    "test": {"YoYo": ["v_d1", "v_d2"], "wave": ["e.1", "é 2"]},
}


def write_trx(folder: Path, videos_by_split: Videos = VIDEOS, end: str = "\n") -> Path:
    """Write lists in the layout of TRX: `class/id`."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in videos_by_split.items():
        lines = [f"{name}/{video}" for name, videos in classes.items() for video in videos]
        _write(folder / f"{split}list03.txt", lines, end)
    return folder


def write_clip_fsar(folder: Path, videos_by_split: Videos = VIDEOS, suffix: str = ".avi") -> Path:
    """Write lists in the layout of CLIP-FSAR, and names of the train and test classes.

    A line is `train0//videos/class/id.avi`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in videos_by_split.items():
        lines = [
            f"{split}{number}//videos/{name}/{video}{suffix}"
            for number, (name, videos) in enumerate(classes.items())
            for video in videos
        ]
        _write(folder / f"{split}_few_shot.txt", lines, "\n")
    names = {s: [n.replace("_", " ") for n in videos_by_split[s]] for s in ("train", "test")}
    (folder / "class_names.json").write_text(json.dumps(names))
    return folder


def write_numbered(
    folder: Path, videos_by_split: Videos, names: Mapping[str, Sequence[str]] | None
) -> Path:
    """Write lists in the layout of SSv2, `train0/id`, and optionally class names."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in videos_by_split.items():
        lines = [f"{split}{n}/{v}" for n, videos in enumerate(classes.values()) for v in videos]
        _write(folder / f"{split}_few_shot.txt", lines, "\n")
    if names is not None:
        (folder / "class_names.json").write_text(json.dumps(names))
    return folder


def touch(root: Path, paths: Iterable[str]) -> Path:
    """Create empty files."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def create_videos(root: Path, splits: Path, layout: str, suffix: str) -> Path:
    """Create an empty file for each listed video, in one folder (`flat`) or one per class."""
    for video in read_lists(splits).videos:
        folder = root / video.label if layout == "class" else root
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{video.id}{suffix}").touch()
    return root


def _write(path: Path, lines: Iterable[str], end: str) -> None:
    path.write_bytes("".join(line + end for line in lines).encode())


def run(
    splits: Path, videos: Path, dataset: KnownDataset = DATASET, labels: tuple[Path, ...] = ()
) -> Imported:
    """Import split lists without a progress bar."""
    return import_lists(dataset, splits, videos, labels, progress=False)


def rows(imported: Imported) -> list[dict[str, str]]:
    """Rows of the annotation table of an import."""
    with imported.table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fault(splits: Path, videos: Path, labels: tuple[Path, ...] = ()) -> str:
    """Error message of a rejected import."""
    with pytest.raises(UserError) as caught:
        run(splits, videos, labels=labels)
    return str(caught.value)
