"""Check, training and test of configs whose backbones see whole clips, with random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fsarbench.cli.app import app
from fsarbench.errors import UserError
from fsarbench.experiments.run import run
from tests.helpers.tiny_video import CONFIGS

BASES = """
_base_ = [
    "_base_/datasets/synthact.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
prototypes = dict(type="EachShot")
losses = dict(match=dict(type="EpisodeCrossEntropy"))
readout = dict(type="MatchOnly")
"""
VIDEOMAE = f"""
backbone = dict(type="HFVideoBackbone", model="videomae", config={dict(CONFIGS["videomae"])})
adapter = dict(type="LoRA", rank=2)
# The matcher is built for the time steps, two of four frames.
matcher = dict(type="TRX", cardinalities=[2])
clips = dict(frames=4)
"""
R3D = """
backbone = dict(type="TorchvisionVideo", model="r3d_18", image_size=32)
adapter = dict(type="NormTuning", blocks=[3])
matcher = dict(type="OTAM")
clips = dict(frames=16)
"""
FEW = [
    "dataset.train_videos=2",
    "dataset.val_videos=2",
    "dataset.test_videos=2",
    "episodes.way=2",
    "episodes.train_queries=1",
    "train.episodes=2",
    "train.warmup=0",
    "train.val_interval=2",
    "train.workers=0",
    "evaluate.workers=0",
    "evaluate.episodes=4",
    "evaluate.val_episodes=1",
]


def written(folder: Path, text: str) -> str:
    file = folder / "video.py"
    file.write_text(BASES + text)
    return str(file)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of the rendered videos, which both configs use."""
    return str(tmp_path_factory.mktemp("data"))


def finished(config: str, folder: Path, *overrides: str) -> dict[str, Any]:
    run(config, [*FEW, *overrides], work_dir=str(folder), device="cpu")
    return json.loads((folder / "result.json").read_text())


@pytest.mark.parametrize(("text", "clip"), [(VIDEOMAE, 4), (R3D, 16)], ids=["videomae", "r3d"])
def test_a_run_from_clips_to_an_accuracy(
    text: str, clip: int, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", data)
    config = written(tmp_path, text)
    result = finished(config, tmp_path / "run")
    assert result["accuracy"]["n"] == 4
    conditions = result["conditions"]
    assert (conditions["clips"]["size"], conditions["clips"]["frames"]) == (32, clip)
    assert conditions["route"]["cached"]
    assert conditions["seen_data"] == {"data": [], "labels": False}
    assert result["gflops"]["not_counted"] == []
    assert result["training"]["validations"]
    if text is VIDEOMAE:  # the same numbers without caching
        other = finished(config, tmp_path / "again", "evaluate.cache=False")
        assert not other["conditions"]["route"]["cached"]
        assert other["accuracy"]["mean"] == result["accuracy"]["mean"]


@pytest.mark.parametrize(
    ("text", "override", "message"),
    [
        (VIDEOMAE, "clips.frames=8", "VideoMAE takes clips of 4 frames, got 8."),
        (VIDEOMAE, "clips.size=64", "VideoMAE takes images of 32 pixels, got 64."),
        (VIDEOMAE, "adapter={'type': 'STAdapter'}", "STAdapter needs the tokens of single frames"),
        (R3D, "adapter={'type': 'LoRA'}", "LoRA changes the tokens of transformer blocks"),
    ],
)
def test_check_names_what_does_not_fit(
    text: str, override: str, message: str, tmp_path: Path
) -> None:
    config = written(tmp_path, text)
    assert CliRunner().invoke(app, ["check", config]).exit_code == 0
    done = CliRunner().invoke(app, ["check", config, "--set", override])
    assert isinstance(done.exception, UserError)
    assert message in str(done.exception)
