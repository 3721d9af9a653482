"""Files appear whole or not at all, and what a killed writer left is taken away."""

import multiprocessing
import os
from pathlib import Path

import pytest

from fsarbench.runtime.atomic_files import atomic_path, remove_stale_files, write_atomically


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    with pytest.raises(ZeroDivisionError):
        _fails(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _fails(path: Path) -> None:
    with atomic_path(path) as aside:
        aside.write_bytes(b"half")
        raise ZeroDivisionError


def _dies(path: Path) -> None:
    with atomic_path(path) as aside:
        aside.write_bytes(b"half")
        os._exit(0)


def test_what_a_killed_writer_left_is_swept_and_what_others_write_is_not(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    process = multiprocessing.get_context("spawn").Process(
        target=_dies, args=(tmp_path / "below" / "b.mp4",)
    )
    process.start()
    process.join()
    (left,) = (tmp_path / "below").iterdir()
    elsewhere = left.with_name(left.name.replace("b.mp4.", "b.mp4.another-machine-"))
    elsewhere.write_bytes(b"half")
    with atomic_path(tmp_path / "c") as aside:
        aside.write_bytes(b"half")
        remove_stale_files(tmp_path)
        assert left.exists()
        remove_stale_files(tmp_path, below=True)
        assert not left.exists()
        assert elsewhere.exists()
        assert aside.exists()
    assert (tmp_path / "c").read_bytes() == b"half"


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_writer_that_closes_its_files_leaves_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with atomic_path(tmp_path / "a") as aside:
            aside.unlink(missing_ok=True)
            aside.write_bytes(b"content")
            aside.chmod(0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
