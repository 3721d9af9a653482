"""A folder has one writer; the claim ends with the process, and leaves nothing empty behind."""

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
        with ExitStack() as held:
            found = work_folder(f"twin{number}", held)
            (found / "result.json").write_text("{}")
            chosen.put(str(found))  # type: ignore[attr-defined]


def _dies(folder: Path) -> None:
    with locked_folder(folder):
        (folder / "state").write_text("half")
        os._exit(0)


def test_twenty_pairs_that_start_together_never_share_a_folder(tmp_path: Path) -> None:
    start, chosen = PROCESSES.Barrier(2), PROCESSES.Queue()
    pair = [PROCESSES.Process(target=_choose, args=(str(tmp_path), start, chosen)) for _ in "12"]
    for process in pair:
        process.start()
    found = [chosen.get(timeout=60) for _ in range(40)]
    for process in pair:
        process.join(60)
        assert process.exitcode == 0
    assert len(set(found)) == 40


def test_a_second_writer_is_refused_with_one_message(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path / "run"),
        pytest.raises(UserError, match="written by another process"),
        locked_folder(tmp_path / "run", patience=0.1),
    ):
        pass


def test_the_claim_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    process = PROCESSES.Process(target=_dies, args=(tmp_path / "run",))
    process.start()
    process.join()
    assert (tmp_path / "run" / ".lock").exists()
    with locked_folder(tmp_path / "run", patience=0.1):
        pass
    assert (tmp_path / "run" / "state").exists()


def test_a_refused_run_leaves_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="wrong"), locked_folder(tmp_path / "runs" / "name"):
        raise UserError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"file.run cannot be made"),
        locked_folder(tmp_path / "file/run"),
    ):
        pass
