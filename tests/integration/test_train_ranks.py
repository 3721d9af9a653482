import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fsarbench.engine.settings import EvaluateSettings, TrainSettings
from fsarbench.engine.train import train
from tests.unit.engine.conftest import toy_bench, toy_model

ROOT = Path(__file__).parents[2]


def train_toy(work_dir: Path, accumulate: int) -> None:
    model = toy_model()
    model.backbone.adapter.drop.p = 0.0  # Each rank drops for itself.
    settings = TrainSettings(episodes=12, accumulate=accumulate, lr=0.02, val_interval=4, workers=0)
    train(model, toy_bench(), settings, EvaluateSettings(val_episodes=20, workers=0), work_dir)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_two_ranks_train_as_one_that_accumulates_two_episodes(tmp_path: Path) -> None:
    train_toy(tmp_path / "one", accumulate=2)
    places = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.test_train_ranks", str(tmp_path / "two")],
            env={**os.environ, **places, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            cwd=ROOT,
        )
        for rank in ("0", "1")
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    one, two = (load_file(tmp_path / name / "best.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=1e-5, rtol=1e-4)


@pytest.fixture(autouse=True)
def _no_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)


if __name__ == "__main__":
    train_toy(Path(sys.argv[1]), accumulate=1)
