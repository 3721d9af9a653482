"""Rendering of built-in data sets: reuse, repair, resuming, and equal videos for all workers."""

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


def render_nothing(clip):
    raise AssertionError(f"{clip.id} is rendered again")


def render_and_die(clip):
    os._exit(3)


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def plan():
    return Plan("toy", "toy-1", CLIPS, frames_of)


def build_quietly(plan, workers=1):
    return ensure(plan, workers=workers, progress=False)


def test_all_files_and_the_manifest_exist(plan, data_folder):
    built = build_quietly(plan)
    assert built.folder.parent == data_folder
    assert built.folder.name == f"toy-{plan.hash[:12]}"
    assert [v.id for v in built.videos] == [c.id for c in CLIPS]
    assert all(v.intact(built.folder) and v.frames == 9 for v in built.videos)
    assert json.loads((built.folder / "manifest.json").read_text())["hash"] == built.hash
    files = {p.name for p in built.folder.rglob("*") if p.is_file()}
    assert files == {"manifest.json", "0000.mp4", "0001.mp4", "0002.mp4"}


def test_a_finished_folder_is_reused(plan):
    built = build_quietly(plan)
    assert build_quietly(replace(plan, render=render_nothing)) == built


@pytest.mark.parametrize("damage", [Path.unlink, lambda p: p.write_bytes(b"short")])
def test_only_damaged_files_are_rendered_again(plan, damage):
    built = build_quietly(plan)
    paths = [built.folder / v.path for v in built.videos]
    damage(paths[2])
    before = [p.stat().st_mtime_ns for p in paths if p.exists() and p != paths[2]]
    assert build_quietly(plan) == built
    assert built.videos[2].intact(built.folder)
    assert [p.stat().st_mtime_ns for p in paths if p != paths[2]] == before


def test_an_interrupted_build_resumes(plan):
    rendered = []

    def interrupt(clip):
        rendered.append(clip.id)
        if len(rendered) == 4:
            raise KeyboardInterrupt
        return frames_of(clip)

    with pytest.raises(KeyboardInterrupt):
        build_quietly(replace(plan, render=interrupt))
    assert not (plan.folder / "manifest.json").exists()
    with (plan.folder / build.JOURNAL).open("a") as journal:
        journal.write('{"id": "train/cd/00')  # an incomplete line, as after a kill
    built = build_quietly(replace(plan, render=interrupt))
    assert rendered[4:] == [c.id for c in CLIPS[3:]]
    assert built.hash == build_quietly(replace(plan, render=render_nothing)).hash


def test_a_damaged_manifest_is_ignored(plan):
    built = build_quietly(plan)
    text = (built.folder / "manifest.json").read_text()
    for damaged in (text[:-30], text.replace('"train"', '"test"'), "[]"):
        (built.folder / "manifest.json").write_text(damaged)
        assert manifest.load(built.folder) is None
        assert build_quietly(plan) == built


def test_another_recipe_has_another_folder(plan):
    assert replace(plan, recipe="toy-2").folder != plan.folder
    assert replace(plan, clips=CLIPS[:-1]).folder != plan.folder


def test_the_hash_depends_on_the_frames(plan):
    brighter = replace(plan, recipe="toy-2", render=lambda clip: frames_of(clip) + np.uint8(9))
    assert build_quietly(brighter).hash != build_quietly(plan).hash
    assert build_quietly(replace(plan, recipe="toy-3")).hash == build_quietly(plan).hash


def test_videos_do_not_depend_on_the_number_of_workers(monkeypatch, tmp_path):
    plan = dataset.plan(1, 1, 1)
    part = replace(plan, clips=plan.clips[:20])
    monkeypatch.setattr(build, "VIDEOS_PER_WORKER", 10)
    one_worker = build_quietly(part)
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path / "other"))
    assert build_quietly(part, workers=2).videos == one_worker.videos


def test_a_killed_worker_is_reported(plan, monkeypatch):
    monkeypatch.setattr(build, "VIDEOS_PER_WORKER", 1)
    with pytest.raises(UserError, match="finished videos are kept"):
        build_quietly(replace(plan, render=render_and_die), workers=2)


def test_a_full_disk_is_reported(plan, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_video", full)
    with pytest.raises(UserError, match=r"No space left.*FSARBENCH_DATA"):
        build_quietly(plan)


def test_a_data_folder_that_is_a_file_is_reported(plan, data_folder):
    data_folder.write_text("a file")
    with pytest.raises(UserError, match="FSARBENCH_DATA"):
        build_quietly(plan)


def test_data_home_is_the_environment_variable_or_in_the_cache(monkeypatch, tmp_path):
    assert paths.data_home() == tmp_path / "data"
    monkeypatch.delenv("FSARBENCH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert paths.data_home() == tmp_path / "cache" / "fsarbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert paths.data_home() == Path.home() / ".cache" / "fsarbench"


def test_rendering_prints_one_line(plan, capsys):
    ensure(plan, workers=1)
    line = f"Rendering {plan.name}: {len(CLIPS)} videos in {plan.folder}\n"
    assert capsys.readouterr().err == line


def test_rendering_prints_nothing_in_a_quiet_command(plan, capsys):
    with silence():
        ensure(plan, workers=1)
    assert capsys.readouterr() == ("", "")


def test_synthact_has_one_video_per_clip_of_its_plan():
    built = dataset.ensure(1, 0, 0, workers=1, progress=False)
    assert len(built.videos) == 64
    assert {v.split for v in built.videos} == {"train"}
    assert built.videos[0].class_name == "Moving something from left to right"
