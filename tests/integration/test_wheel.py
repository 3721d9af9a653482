"""An installed wheel contains configs, cards and the small model, and needs no checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the wheel, unpacked as in an installation."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("fsarbench-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def fsarbench(site: Path, folder: Path, *args: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(site),
        "FSARBENCH_DATA": str(site.parent / "data"),
    }
    command = [sys.executable, "-m", "fsarbench", *args]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# A run of seconds: two videos per class, two training episodes.
SHORT = (
    *(f"dataset.{split}_videos=2" for split in ("train", "val", "test")),
    *("episodes.train_queries=1", "train.episodes=2", "train.warmup=0", "train.val_interval=2"),
    *("train.workers=0", "evaluate.workers=0", "evaluate.episodes=4", "evaluate.val_episodes=4"),
)


def test_the_wheel_has_what_a_run_needs(installed: Path) -> None:
    for name in (
        "_data/configs/mafsar_synthact_1shot.py",
        "_data/configs/_base_/backbones/tiny.py",
        "_data/configs/_base_/variants.toml",
        "_data/registry/matchers/otam.toml",
        "backbones/tiny_clip/fsarbench-tiny.safetensors",
        "backbones/tiny_clip/merges.txt.gz",
        "py.typed",
    ):
        assert (installed / "fsarbench" / name).is_file(), name


def test_names_are_found_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    assert str(installed) in fsarbench(installed, tmp_path, "show", "OTAM")
    assert "FineGrainedMultimodal" in fsarbench(
        installed, tmp_path, "check", "configs/mafsar_synthact_1shot.py"
    )


def test_a_name_without_a_file_is_composed_outside_a_checkout(
    installed: Path, tmp_path: Path
) -> None:
    printed = fsarbench(installed, tmp_path, "config", "configs/hyrsm_ssv2_1shot_imagenet_rn50.py")
    assert "type='HybridRelation'" in printed
    assert "weight=0.6" in printed


def test_the_main_job_runs_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    assert "mafsar_synthact_1shot" in fsarbench(installed, tmp_path, "list", "config")
    overrides = [word for override in SHORT for word in ("--set", override)]
    fsarbench(installed, tmp_path, "run", "configs/mafsar_synthact_1shot.py", *overrides)
    result = json.loads((tmp_path / "runs/mafsar_synthact_1shot/result.json").read_text("utf-8"))
    assert 0 <= result["accuracy"]["mean"] <= 1
