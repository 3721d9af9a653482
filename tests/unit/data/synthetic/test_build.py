"""Data sets that are made once: kept, mended, restarted, and the same for any number of workers."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fsarbench.data import paths
from fsarbench.data.synthetic import build, manifest
from fsarbench.data.synthetic.build import Clip, Plan, ensure
from fsarbench.data.synthetic.synthact import dataset
from fsarbench.errors import UserError
from fsarbench.runtime.progress import silence

CLIPS = tuple(Clip(f"train/{c}/{n:04d}", c, "train", n) for c in ("ab", "cd") for n in range(3))


def frames_of(clip):
    return np.full((9, 16, 16, 3), 20 + 40 * clip.number + len(clip.class_name), np.uint8)


def never(clip):
    raise AssertionError(f"{clip.id} is made again")


def dies(clip):
    os._exit(3)


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def plan():
    return Plan("toy", "toy-1", CLIPS, frames_of)


def quietly(plan, workers=1):
    return ensure(plan, workers=workers, progress=False)


def test_all_files_and_the_manifest_are_there(plan, data_folder):
    made = quietly(plan)
    assert made.folder.parent == data_folder
    assert made.folder.name == f"toy-{plan.hash[:12]}"
    assert [v.id for v in made.videos] == [c.id for c in CLIPS]
    assert all(v.intact(made.folder) and v.frames == 9 for v in made.videos)
    assert json.loads((made.folder / "manifest.json").read_text())["hash"] == made.hash
    files = {p.name for p in made.folder.rglob("*") if p.is_file()}
    assert files == {"manifest.json", "0000.mp4", "0001.mp4", "0002.mp4"}


def test_a_finished_folder_is_used_as_it_is(plan):
    made = quietly(plan)
    assert quietly(replace(plan, render=never)) == made


@pytest.mark.parametrize("damage", [Path.unlink, lambda p: p.write_bytes(b"short")])
def test_only_a_damaged_file_is_made_again(plan, damage):
    made = quietly(plan)
    paths = [made.folder / v.path for v in made.videos]
    damage(paths[2])
    before = [p.stat().st_mtime_ns for p in paths if p.exists() and p != paths[2]]
    assert quietly(plan) == made
    assert made.videos[2].intact(made.folder)
    assert [p.stat().st_mtime_ns for p in paths if p != paths[2]] == before


def test_a_stopped_build_goes_on_where_it_was(plan):
    seen = []

    def stops(clip):
        seen.append(clip.id)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return frames_of(clip)

    with pytest.raises(KeyboardInterrupt):
        quietly(replace(plan, render=stops))
    assert not (plan.folder / "manifest.json").exists()
    with (plan.folder / build.JOURNAL).open("a") as journal:
        journal.write('{"id": "train/cd/00')  # a line cut off by a kill
    made = quietly(replace(plan, render=stops))
    assert seen[4:] == [c.id for c in CLIPS[3:]]
    assert made.hash == quietly(replace(plan, render=never)).hash


def test_a_spoilt_manifest_is_not_trusted(plan):
    made = quietly(plan)
    text = (made.folder / "manifest.json").read_text()
    for spoilt in (text[:-30], text.replace('"train"', '"test"'), "[]"):
        (made.folder / "manifest.json").write_text(spoilt)
        assert manifest.load(made.folder) is None
        assert quietly(plan) == made


def test_another_recipe_has_another_folder(plan):
    assert replace(plan, recipe="toy-2").folder != plan.folder
    assert replace(plan, clips=CLIPS[:-1]).folder != plan.folder


def test_the_hash_is_over_frames(plan):
    brighter = replace(plan, recipe="toy-2", render=lambda clip: frames_of(clip) + np.uint8(9))
    assert quietly(brighter).hash != quietly(plan).hash
    assert quietly(replace(plan, recipe="toy-3")).hash == quietly(plan).hash


def test_workers_make_the_same_videos(monkeypatch, tmp_path):
    whole = dataset.plan(1, 1, 1)
    monkeypatch.setattr(build, "WORTH_A_WORKER", 10)
    alone = quietly(replace(whole, clips=whole.clips[:20]))
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path / "other"))
    assert quietly(replace(whole, clips=whole.clips[:20]), workers=2).videos == alone.videos


def test_a_worker_that_dies_is_explained(plan, monkeypatch):
    monkeypatch.setattr(build, "WORTH_A_WORKER", 1)
    with pytest.raises(UserError, match="finished videos are kept"):
        quietly(replace(plan, render=dies), workers=2)


def test_a_full_disk_is_explained(plan, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_video", full)
    with pytest.raises(UserError, match=r"No space left.*FSARBENCH_DATA"):
        quietly(plan)


def test_a_place_that_is_no_folder_is_explained(plan, data_folder):
    data_folder.write_text("a file")
    with pytest.raises(UserError, match="FSARBENCH_DATA"):
        quietly(plan)


def test_data_home_is_the_variable_or_in_the_cache(monkeypatch, tmp_path):
    assert paths.data_home() == tmp_path / "data"
    monkeypatch.delenv("FSARBENCH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert paths.data_home() == tmp_path / "cache" / "fsarbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert paths.data_home() == Path.home() / ".cache" / "fsarbench"


def test_progress_of_making(plan, capsys):
    ensure(plan, workers=1)
    assert capsys.readouterr().err == f"Making {plan.name}: {len(CLIPS)} videos in {plan.folder}\n"


def test_making_is_silent_inside_a_quiet_verb(plan, capsys):
    with silence():
        ensure(plan, workers=1)
    assert capsys.readouterr() == ("", "")


def test_synthact_is_made_from_its_plan():
    made = dataset.ensure(1, 0, 0, workers=1, progress=False)
    assert len(made.videos) == 64
    assert {v.split for v in made.videos} == {"train"}
    assert made.videos[0].class_name == "Moving something from left to right"
