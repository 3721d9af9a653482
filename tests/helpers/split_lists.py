"""Lists in the layouts that circulate, made up by the tests, and files faked by name."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from fsarbench.data.importing.from_lists import Imported, import_lists
from fsarbench.data.importing.known_lists import Field
from fsarbench.data.importing.split_lists import read_lists
from fsarbench.errors import UserError

FIELD = Field("made", "Made")
TIMED = Field("made", "Made", timed=True)

# Class to video ids, by split.
Made = Mapping[str, Mapping[str, Sequence[str]]]
MADE: Made = {
    "train": {"ThrowDiscus": ["v_a1", "v_a2"], "brush_hair": ["b (1)", "b2"]},
    "val": {"CliffDiving": ["v_c1", "v_c2"]},
    "test": {"YoYo": ["v_d1", "v_d2"], "wave": ["e.1", "é 2"]},
}


def write_trx(folder: Path, made: Made = MADE, end: str = "\n") -> Path:
    """TRX's family: `class/id`."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in made.items():
        lines = [f"{name}/{video}" for name, videos in classes.items() for video in videos]
        _write(folder / f"{split}list03.txt", lines, end)
    return folder


def write_clip_fsar(folder: Path, made: Made = MADE, suffix: str = ".avi") -> Path:
    """CLIP-FSAR's family: `train0//videos/class/id.avi`, and names of train and test classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in made.items():
        lines = [
            f"{split}{number}//videos/{name}/{video}{suffix}"
            for number, (name, videos) in enumerate(classes.items())
            for video in videos
        ]
        _write(folder / f"{split}_few_shot.txt", lines, "\n")
    names = {s: [n.replace("_", " ") for n in made[s]] for s in ("train", "test")}
    (folder / "class_names.json").write_text(json.dumps(names))
    return folder


def write_numbered(folder: Path, made: Made, names: Mapping[str, Sequence[str]] | None) -> Path:
    """The form of SSv2: `train0/id`, with or without a file of names."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, classes in made.items():
        lines = [f"{split}{n}/{v}" for n, videos in enumerate(classes.values()) for v in videos]
        _write(folder / f"{split}_few_shot.txt", lines, "\n")
    if names is not None:
        (folder / "class_names.json").write_text(json.dumps(names))
    return folder


def touch(root: Path, paths: Iterable[str]) -> Path:
    """Empty files."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def fake(root: Path, splits: Path, layout: str, suffix: str) -> Path:
    """A file for each listed video: all in one folder (`flat`), or in folders by class."""
    for video in read_lists(splits).videos:
        folder = root / video.group if layout == "class" else root
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{video.id}{suffix}").touch()
    return root


def _write(path: Path, lines: Iterable[str], end: str) -> None:
    path.write_bytes("".join(line + end for line in lines).encode())


def run(
    splits: Path, videos: Path, known: Field = FIELD, labels: tuple[Path, ...] = ()
) -> Imported:
    """Imports without showing progress."""
    return import_lists(known, splits, videos, labels, progress=False)


def rows(imported: Imported) -> list[dict[str, str]]:
    """The table that was written."""
    with imported.table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fault(splits: Path, videos: Path, labels: tuple[Path, ...] = ()) -> str:
    """What is said where an import is refused."""
    with pytest.raises(UserError) as caught:
        run(splits, videos, labels=labels)
    return str(caught.value)
