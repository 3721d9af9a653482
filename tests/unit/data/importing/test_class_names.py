"""Sources of class names, and messages about missing or contradictory names."""

import json
from pathlib import Path

import pytest

from fsarbench.cli.data_import import remarks
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.splits import require_names
from fsarbench.errors import UserError
from tests.helpers.split_lists import (
    create_videos,
    fault,
    rows,
    run,
    touch,
    write_clip_fsar,
    write_numbered,
    write_trx,
)

TEMPLATES = {
    "train": ["Pushing [something]", "Closing [something]"],
    "val": ["Tearing [something] into two pieces"],
    "test": ["Poking [something]", "Moving [something] up"],
}
NUMBERED = {
    "train": {"0": ["1", "2"], "1": ["3", "4"]},
    "val": {"0": ["5"]},
    "test": {"0": ["6"], "1": ["7"]},
}


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return create_videos(tmp_path / "videos", write_trx(tmp_path / "trx"), "class", ".avi")


def write_labels(folder: Path) -> Path:
    entries = [
        {"id": video, "label": "pushing a pen", "template": TEMPLATES[split][number]}
        for split, classes in NUMBERED.items()
        for number, ids in enumerate(classes.values())
        for video in ids
    ]
    folder.mkdir()
    (folder / "train.json").write_text(json.dumps(entries[:4]))
    (folder / "validation.json").write_text(json.dumps(entries[4:]))
    (folder / "labels.json").write_text(json.dumps({"Pushing something": "0"}))
    return folder


def test_names_come_from_the_label_file(tmp_path: Path) -> None:
    videos = touch(tmp_path / "videos", [f"{n}.webm" for n in range(1, 8)])
    splits = write_numbered(tmp_path / "clip", NUMBERED, None)
    assert len(run(splits, videos).nameless) == 5
    imported = run(splits, videos, labels=(write_labels(tmp_path / "labels"),))
    assert imported.nameless == ()
    assert rows(imported)[0]["class"] == "Pushing [something]"
    assert rows(imported)[4]["readable"] == "Tearing [something] into two pieces"


def test_a_class_without_a_name_is_rejected_if_text_is_needed(tmp_path: Path) -> None:
    videos = touch(tmp_path / "videos", [f"{n}.webm" for n in range(1, 8)])
    names = {split: TEMPLATES[split] for split in ("train", "test")}
    imported = run(write_numbered(tmp_path / "clip", NUMBERED, names), videos)
    assert imported.nameless == ("val0 (val)",)
    assert "--labels" in " ".join(remarks(imported))
    splits = AnnotatedVideos("made", str(videos), annotations="made.csv").splits()
    assert require_names(splits["train"]) == ("Pushing [something]", "Closing [something]")
    with pytest.raises(UserError, match=r"'val0'.*--labels"):
        require_names(splits["val"])


def test_missing_and_contradictory_names_in_class_names_json(tmp_path: Path, videos: Path) -> None:
    splits = write_clip_fsar(tmp_path / "clip")
    names = json.loads((splits / "class_names.json").read_text())
    (splits / "class_names.json").write_text(json.dumps({**names, "test": ["Yo Yo"]}))
    assert "test1 has no name: class_names.json has 1 names" in fault(splits, videos)
    (splits / "class_names.json").write_text(json.dumps({**names, "test": ["wave", "YoYo"]}))
    text = fault(splits, videos)
    assert "test0 has several names: 'YoYo', 'wave'" in text
    (splits / "class_names.json").write_text("[1]")
    assert "cannot be read as a JSON object" in fault(splits, videos)


def test_invalid_label_files(tmp_path: Path, videos: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text("{}")
    assert "has no templates" in fault(tmp_path / "trx", videos, (file,))
    file.write_text(json.dumps({"v_a1": "One [thing]", "v_a2": "Another [thing]"}))
    assert "several templates" in fault(tmp_path / "trx", videos, (file,))
    file.write_text("nothing")
    assert f"{file} cannot be read" in fault(tmp_path / "trx", videos, (file,))
    assert "cannot be read" in fault(tmp_path / "trx", videos, (tmp_path / "none.json",))
