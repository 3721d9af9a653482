"""Replacement for starting runs, which writes made-up results."""

import json
import shutil
from pathlib import Path

import pytest

from fsarbench.experiments import executor
from fsarbench.experiments.plan import Planned
from tests.helpers.finished_runs import finish

MORE = {
    "accuracy": {"mean": 0.6},
    "seconds": {"total": 90.0},
    "versions": {"fsarbench": "0.1.0", "torch": "2.15.0"},
    "device": {"type": "cpu", "name": "one"},
}


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Planned]:
    """Started runs; runs with `bad` in their name fail, all others get a result at once."""
    monkeypatch.chdir(tmp_path)
    started: list[Planned] = []

    def launch(run: Planned, options: list[str], logged: bool) -> str:
        started.append(run)
        if "bad" in run.name:
            return "too bad"
        folder = finish(tmp_path / "made", run.name, seed=run.seed or 0)
        result = json.loads((folder / "result.json").read_text())
        (folder / "result.json").write_text(json.dumps({**result, **MORE}))
        (folder / "config.py").write_text(run.loaded.text())
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, run.folder)
        return ""

    monkeypatch.setattr(executor, "launch", launch)
    return started
