"""Seconds in which training waits for data, with a clock that only reading advances."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from jaxtyping import UInt8

from fsarbench.data.data_module import DataModule
from fsarbench.model import FewShotModel
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.training import train as train_module
from fsarbench.training.train import train
from fsarbench.video import VideoReader


class SlowReader(VideoReader):
    """Reader that takes one second per video."""

    def __init__(self, reader: VideoReader) -> None:
        self.reader = reader
        self.now = 0.0
        self.by_split = {"train": 0, "val": 0}

    def count(self, path: Path) -> int:
        return self.reader.count(path)

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        self.now += 1.0
        self.by_split["val" if "val" in str(path) else "train"] += 1
        return self.reader.read(path, indices)


def test_waiting_includes_reading_for_training_but_not_for_validation(
    build: Callable[..., FewShotModel],
    data_module: DataModule,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = SlowReader(data_module.reader)
    monkeypatch.setattr(train_module, "time", SimpleNamespace(perf_counter=lambda: slow.now))
    settings = TrainSettings(episodes=6, accumulate=1, warmup=0, val_interval=2, workers=0)
    validate = EvaluateSettings(val_episodes=5, workers=0)
    training = train(build(), replace(data_module, reader=slow), settings, validate, tmp_path)
    assert slow.by_split["val"] > 0
    assert training.wait_seconds == slow.by_split["train"] > 0
