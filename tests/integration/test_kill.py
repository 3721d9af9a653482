"""Data commands that are killed at random moments and resumed give the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.damaged_videos import make

# Kills of each verb; when, is drawn over the length of an undisturbed run but its start of imports.
KILLS = int(os.environ.get("FSARBENCH_TEST_KILLS", "2"))


@dataclass(frozen=True)
class Work:
    """A verb and its output folder."""

    args: tuple[str, ...]
    folder: Path
    code: int = 0


def videos(root: Path, count: int = 30) -> Path:
    root.mkdir()
    for number in range(count):
        make(root / f"{number}.mp4", count=20 + number, size=(96, 128))
    (root / "bad.mp4").write_text("nothing")
    lines = [f"{n}.mp4,class {n % 3},{('train', 'val', 'test')[n % 3]}" for n in range(count)]
    (root / "t.csv").write_text("\n".join(["path,class,split", *lines, "bad.mp4,class 0,train\n"]))
    return root


def work(verb: str, folder: Path) -> Work:
    if verb == "build":
        return Work(("build", "strokes", "--workers", "2"), folder / "data")
    root = videos(folder / "videos")
    sets = ("--set", f"dataset.root={root}", "--set", "dataset.annotations=t.csv")
    if verb == "check":
        out = folder / "out" / "t.bad.csv"
        return Work(("check", "ssv2", "--out", str(out), *sets), out.parent, 1)
    out = folder / "out"
    return Work(("cache", "ssv2", "--size", "64", "--out", str(out), *sets), out, 1)


def start(task: Work, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fsarbench", "data", *task.args],
        env={**os.environ, "FSARBENCH_DATA": str(home / "data")},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def content(folder: Path) -> Mapping[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def settled(process: subprocess.Popen[str]) -> None:
    """Wait until all processes of the session have ended."""
    process.communicate()
    for _ in range(600):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("processes are left after their parent was killed")


@pytest.mark.parametrize("verb", ["cache", "check", "build"])
def test_a_killed_verb_ends_in_the_same_bytes(verb: str, tmp_path: Path) -> None:
    task = work(verb, tmp_path)
    begin = time.monotonic()
    with start(task, tmp_path) as whole:
        said = whole.communicate()[0]
    seconds = time.monotonic() - begin
    assert whole.returncode == task.code, said
    expected = content(task.folder)
    assert expected
    shutil.rmtree(task.folder)
    moments = np.random.Generator(np.random.PCG64(6)).random(KILLS) * 0.7 * seconds + 0.3 * seconds
    killed = 0
    for moment in moments:
        with start(task, tmp_path) as process:
            try:
                process.wait(float(moment))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)  # the parent alone
                killed += 1
            settled(process)
    assert killed
    with start(task, tmp_path) as again:
        said = again.communicate()[0]
    assert again.returncode == task.code, said
    assert content(task.folder) == expected
