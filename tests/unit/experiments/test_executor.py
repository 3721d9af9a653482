"""Start of a run in a new process: command, log and reasons for failures."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from fsarbench.config.loading import load_config
from fsarbench.experiments import executor, run_process
from fsarbench.experiments.plan import Planned


@pytest.fixture
def run(tmp_path: Path) -> Planned:
    config = "frozen_synthact_1shot"
    folder = tmp_path / "run"
    return Planned(
        name="one", config=config, overrides=(), seed=3, folder=folder, loaded=load_config(config)
    )


def replace_run(monkeypatch: pytest.MonkeyPatch, code: str) -> list[str]:
    """Run other code instead of `fsarbench run`; return a list that will hold the command."""
    start, recorded = run_process.start, []

    def run_code(command: list[str], *args: object) -> int:
        recorded.extend(command)
        return start([sys.executable, "-c", code], *args)

    monkeypatch.setattr(run_process, "start", run_code)
    return recorded


def test_command_and_log_of_a_run(run: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    command = replace_run(monkeypatch, "print('hello')")
    assert executor.launch(run, ["--device=cpu"], logged=True) == ""
    assert command[1:] == [
        *("-m", "fsarbench", "run", "frozen_synthact_1shot", "--name=one"),
        *(f"--work-dir={run.folder}", "--resume", "--device=cpu", "--set=seed=3"),
    ]
    assert (run.folder / "log.txt").read_text() == "hello\n"
    assert load_config(str(run.folder / "config.py")).values == run.loaded.values


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('before\\nfsarbench: no video,\\nnone'); exit(2)", "no video,\nnone"),
        ("raise RuntimeError('too bad')", "RuntimeError: too bad"),
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL"),
        ("exit(5)", "exit status 5"),
    ],
)
def test_the_reason_of_a_failure(
    run: Planned, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    replace_run(monkeypatch, code)
    message = executor.launch(run, [], logged=True)
    assert message == f"{reason} (output: {run.folder / 'log.txt'})"


def test_sigterm_also_ends_the_started_run(run: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_run(monkeypatch, "import os, time; print(os.getpid(), flush=True); time.sleep(300)")
    log = run.folder / "log.txt"

    def end() -> None:
        while not log.is_file() or not log.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end).start()
    with pytest.raises(SystemExit) as exit_:
        executor.launch(run, [], logged=True)
    assert exit_.value.code == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
