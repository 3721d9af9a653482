"""Folder lock: one writer at a time, released by dead processes, no empty folders left."""

import multiprocessing
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.run import work_folder
from fsarbench.runtime.folder_lock import locked_folder

PROCESSES = multiprocessing.get_context("spawn")


def _choose(folder: str, start: "multiprocessing.synchronize.Barrier", chosen: "object") -> None:
    os.chdir(folder)
    for number in range(20):
        start.wait(60)
        with ExitStack() as locks:
            work_dir = work_folder(f"twin{number}", locks)
            (work_dir / "result.json").write_text("{}")
            chosen.put(str(work_dir))  # type: ignore[attr-defined]


def _lock_and_die(folder: Path) -> None:
    with locked_folder(folder):
        (folder / "state").write_text("half")
        os._exit(0)


def test_simultaneous_runs_never_share_a_folder(tmp_path: Path) -> None:
    start, chosen = PROCESSES.Barrier(2), PROCESSES.Queue()
    pair = [PROCESSES.Process(target=_choose, args=(str(tmp_path), start, chosen)) for _ in "12"]
    for process in pair:
        process.start()
    folders = [chosen.get(timeout=60) for _ in range(40)]
    for process in pair:
        process.join(60)
        assert process.exitcode == 0
    assert len(set(folders)) == 40


def test_a_second_writer_is_rejected(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path / "run"),
        pytest.raises(UserError, match="written by another process"),
        locked_folder(tmp_path / "run", patience=0.1),
    ):
        pass


def test_the_lock_of_a_dead_process_is_released(tmp_path: Path) -> None:
    process = PROCESSES.Process(target=_lock_and_die, args=(tmp_path / "run",))
    process.start()
    process.join()
    assert (tmp_path / "run" / ".lock").exists()
    with locked_folder(tmp_path / "run", patience=0.1):
        pass
    assert (tmp_path / "run" / "state").exists()


def test_a_failed_run_leaves_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="wrong"), locked_folder(tmp_path / "runs" / "name"):
        raise UserError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"file.run cannot be created"),
        locked_folder(tmp_path / "file/run"),
    ):
        pass
