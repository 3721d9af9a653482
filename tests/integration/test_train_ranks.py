"""Two gloo processes against one."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fsarbench.evaluation.evaluate import evaluate
from fsarbench.runtime import distributed
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training.train import train
from tests.helpers.toy_model import toy_data_module, toy_model

ROOT = Path(__file__).parents[2]


def train_toy(work_dir: Path, accumulate: int) -> None:
    model = toy_model()
    model.backbone.adapter.drop.p = 0.0  # Each rank drops for itself.
    settings = TrainSettings(episodes=12, accumulate=accumulate, lr=0.02, val_interval=4, workers=0)
    train(
        model, toy_data_module(), settings, EvaluateSettings(val_episodes=20, workers=0), work_dir
    )


def score_toy(work_dir: Path) -> None:
    """Cached and uncached evaluation; 13 episodes are no multiple of batches or ranks."""
    settings = EvaluateSettings(episodes=13, workers=0, batch_size=4, chunk=3)
    data_module, found = toy_data_module(), {}
    for cache in (True, False):
        # With text, support and query features are two things.
        tested = evaluate(toy_model(True), data_module, "test", replace(settings, cache=cache))
        found[f"cache={cache}"] = tested.scores
    if distributed.is_main():
        np.savez(work_dir / "scores.npz", **found)


def both(work_dir: Path, accumulate: int) -> None:
    train_toy(work_dir, accumulate)
    score_toy(work_dir)
    distributed.stop()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results of one process and of two."""
    folder = tmp_path_factory.mktemp("ranks")
    both(folder / "one", accumulate=2)
    places = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.test_train_ranks", str(folder / "two")],
            env={**os.environ, **places, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            cwd=ROOT,
        )
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=500) for process in processes] == [0, 0]
    return folder / "one", folder / "two"


def test_two_ranks_train_as_one_that_accumulates_two_episodes(folders: tuple[Path, Path]) -> None:
    one, two = (load_file(folder / "best.safetensors") for folder in folders)
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=1e-5, rtol=1e-4)


def test_two_ranks_score_as_one(folders: tuple[Path, Path]) -> None:
    one, two = (np.load(folder / "scores.npz") for folder in folders)
    for name in ("cache=True", "cache=False"):
        assert np.ptp(one[name]) > 1e-3
        np.testing.assert_array_equal(one[name], two[name])


if __name__ == "__main__":
    both(Path(sys.argv[1]), accumulate=1)
