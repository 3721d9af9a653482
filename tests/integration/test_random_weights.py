"""A complete run with random weights: `configs/profile/mafsar_synthact_1shot_vitb16.py`.

As it stands it is for a GPU. Here its ViT-B/16 is exchanged for the smallest model; with
FSARBENCH_SLOW set it keeps it, which takes minutes.
"""

import json
import os
from pathlib import Path

import pytest

from fsarbench.experiments.run import run

CONFIG = "profile/mafsar_synthact_1shot_vitb16"
FEW = [
    "dataset.train_videos=2",
    "dataset.val_videos=2",
    "dataset.test_videos=2",
    "episodes.way=2",
    "episodes.train_queries=1",
    "train.episodes=1",
    "train.val_interval=1",
    "train.workers=0",
    "evaluate.workers=0",
    "evaluate.episodes=2",
    "evaluate.val_episodes=1",
]
SMALLEST = ["backbone.model=fsarbench-tiny", "text_encoder.model=fsarbench-tiny"]


def test_a_run_needs_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(tmp_path / "data"))
    slow = "FSARBENCH_SLOW" in os.environ
    folder = tmp_path / "run"
    run(CONFIG, [*FEW, *([] if slow else SMALLEST)], work_dir=str(folder), device="cpu")
    result = json.loads((folder / "result.json").read_text())
    assert result["accuracy"]["n"] == 2
    assert result["conditions"]["clips"]["size"] == (224 if slow else 64)
    assert result["gflops"]["not_counted"] == []
    assert result["memory"]["process_peak_bytes"] > 0
    assert "pretrained" not in result["config"]
