"""Atomic file writes, and removal of temporary files of killed processes."""

import multiprocessing
import os
from pathlib import Path

import pytest

from fsarbench.runtime.atomic_files import atomic_path, remove_stale_files, write_atomically


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _write_and_fail(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError


def _write_and_die(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        os._exit(0)


def test_only_temporary_files_of_dead_processes_of_this_machine_are_removed(
    tmp_path: Path,
) -> None:
    (tmp_path / "below").mkdir()
    process = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(tmp_path / "below" / "b.mp4",)
    )
    process.start()
    process.join()
    (stale,) = (tmp_path / "below").iterdir()
    other_machine = stale.with_name(stale.name.replace("b.mp4.", "b.mp4.another-machine-"))
    other_machine.write_bytes(b"half")
    with atomic_path(tmp_path / "c") as temporary:
        temporary.write_bytes(b"half")
        remove_stale_files(tmp_path)
        assert stale.exists()
        remove_stale_files(tmp_path, below=True)
        assert not stale.exists()
        assert other_machine.exists()
        assert temporary.exists()
    assert (tmp_path / "c").read_bytes() == b"half"


@pytest.mark.skipif(os.name != "posix", reason="file modes exist on POSIX only")
def test_files_have_the_mode_of_the_umask_whatever_the_writer_sets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with atomic_path(tmp_path / "a") as temporary:
            temporary.unlink(missing_ok=True)
            temporary.write_bytes(b"content")
            temporary.chmod(0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
