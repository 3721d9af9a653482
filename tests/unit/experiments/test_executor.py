"""A run in a process of its own: how it ends, and what is said of it."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from fsarbench.config.loading import load_config
from fsarbench.experiments import executor
from fsarbench.experiments.plan import Planned


@pytest.fixture
def run(tmp_path: Path) -> Planned:
    config = "frozen_synthact_1shot"
    place = tmp_path / "run"
    return Planned(
        name="one", config=config, overrides=(), seed=3, folder=place, loaded=load_config(config)
    )


def instead(monkeypatch: pytest.MonkeyPatch, code: str) -> list[str]:
    """Runs some code instead of `fsarbench run`; returns where the command will be found."""
    start, seen = executor._start, []

    def run_code(command: list[str], log: object = None) -> int:
        seen.extend(command)
        return start([sys.executable, "-c", code], log)

    monkeypatch.setattr(executor, "_start", run_code)
    return seen


def test_the_command_says_everything(run: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = instead(monkeypatch, "print('hello')")
    assert executor.launch(run, ["--device=cpu"], logged=True) == ""
    assert seen[1:] == [
        *("-m", "fsarbench", "run", "frozen_synthact_1shot", "--name=one"),
        *(f"--work-dir={run.folder}", "--resume", "--device=cpu", "--set=seed=3"),
    ]
    assert (run.folder / "log.txt").read_text() == "hello\n"
    assert load_config(str(run.folder / "config.py")).values == run.loaded.values


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('before\\nfsarbench: no video,\\nnone'); exit(2)", "no video,\nnone"),
        ("raise RuntimeError('of its own')", "RuntimeError: of its own"),
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL"),
        ("exit(5)", "exit status 5"),
    ],
)
def test_the_reason_of_a_failure(
    run: Planned, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    instead(monkeypatch, code)
    said = executor.launch(run, [], logged=True)
    assert said == f"{reason} (its output: {run.folder / 'log.txt'})"


def test_a_run_ends_with_what_started_it(run: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "import os, time; print(os.getpid(), flush=True); time.sleep(300)")
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
