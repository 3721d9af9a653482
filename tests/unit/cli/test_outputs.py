"""Outputs that cannot be written give one message before any work; output without a terminal."""

import errno
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.run import work_folder
from fsarbench.runtime.atomic_files import require_writable, write_text
from tests.helpers.finished_runs import finish
from tests.unit.config.test_validation import fails

NOWHERE = "/proc/fsarbench" if Path("/proc/self").exists() else "/dev/null/fsarbench"
REFUSED = {
    "compare": ("compare", "{run}", "-o", "{out}.tex"),
    "report": ("report", "{run}", "-o", "{out}/page.html"),
    "figures": ("report", "{run}", "--figures", "{out}"),
    "episode": ("episode", "{run}", "-i", "0", "-o", "{out}.html"),
    "run": ("run", "frozen_synthact_1shot", "--work-dir", "{out}"),
    "sweep folder": ("sweep", "frozen_synthact_1shot", "--work-dir", "{out}"),
    "sweep table": ("sweep", "frozen_synthact_1shot", "-o", "{out}.md"),
    "profile": ("profile", "frozen_synthact_1shot", "--json", "{out}.json"),
}


@pytest.mark.parametrize("location", [NOWHERE, "{run}/result.json/below"])
@pytest.mark.parametrize("args", REFUSED.values(), ids=REFUSED)
def test_an_output_that_cannot_be_written_gives_one_message(
    args: tuple[str, ...],
    location: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = finish(tmp_path / "runs", "mine")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    out = location.format(run=run)
    error = fails(monkeypatch, capsys, *(arg.format(run=run, out=out) for arg in args))
    assert f"cannot write {out}" in error
    message = error.replace("frozen_synthact_1shot: loading config ...\n", "")
    assert message.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_in_place_of_a_folder_and_the_reverse_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        ExitStack() as stack,
        pytest.raises(UserError, match=r"--work-dir .*exists and is not a folder"),
    ):
        work_folder("mine", stack, work_dir=str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"--out .*exists and is a folder"):
        require_writable(tmp_path, "--out")
    require_writable(tmp_path / "new" / "below", "--work-dir", folder=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_device_file_is_written_to_and_not_replaced() -> None:
    with pytest.raises(UserError, match="No space left"):
        write_text(Path("/dev/full"), "text")
    assert not Path("/dev/full").is_file()


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_text(tmp_path / "table.md", "old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"cannot write .*table.md: No space left"):
        write_text(tmp_path / "table.md", "new text")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_an_episode_number_out_of_range_is_rejected_with_the_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finish(tmp_path, "mine")
    error = fails(monkeypatch, capsys, "episode", str(run), "-i", "0", "-i", "99999")
    assert "-i 99999: mine was tested on 300 episodes, numbered 0 to 299." in error


def run_compare(run: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fsarbench", "compare", str(run)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_an_ascii_terminal_gets_every_table(tmp_path: Path) -> None:
    run = finish(tmp_path, "größe 動作")
    done = run_compare(run, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert "gr??e" in done.stdout
    assert "+-" in done.stdout


def test_a_closed_pipe_gives_no_message(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "fsarbench", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.stderr == ""


def test_an_episodes_file_outside_the_folder_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finish(tmp_path, "mine", shots=(5,))
    text = (run / "result.json").read_text()
    (run / "result.json").write_text(text.replace('"episodes_5way', '"../episodes_5way'))
    error = fails(monkeypatch, capsys, "compare", str(run))
    assert "expected a file in the same folder" in error


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_csv_cells_are_no_formulas(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsarbench.report.comparison.compare import comparison_of
    from fsarbench.report.comparison.to_csv_json import csv_text

    run = finish(tmp_path, name)
    text = csv_text(comparison_of([run]))
    assert f"measured,'{name}," in text


BACKENDS = ("nonsense", "module://no_such_backend")


@pytest.mark.parametrize("backend", BACKENDS)
def test_figures_ignore_the_users_matplotlib_settings(backend: str, tmp_path: Path) -> None:
    run = finish(tmp_path, "mine")
    (tmp_path / "matplotlibrc").write_text("font.size: 31\nlines.linewidth: 9\ntext.usetex: True\n")
    for folder, variables in (("plain", {}), ("changed", {"MPLBACKEND": backend})):
        environment = {**os.environ, **variables}
        if variables:
            environment["MATPLOTLIBRC"] = str(tmp_path / "matplotlibrc")
        out = ("--figures", str(tmp_path / folder), "--format", "svg,png")
        command = [sys.executable, "-m", "fsarbench", "report", str(run), *out]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    plain, changed = (
        {p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in ("plain", "changed")
    )
    assert plain == changed
