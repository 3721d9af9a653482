"""`fsarbench run` end to end on small versions of the built-in data sets."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from fsarbench import create_model, evaluate, load_checkpoint, load_data
from fsarbench.config.loading import load_config
from fsarbench.experiments.run import run as run_job
from fsarbench.results.evaluation_result import EvaluationResult
from fsarbench.results.predictions import read_predictions
from fsarbench.results.run_result import read_result

# Three videos per class: two support videos and one query in training.
SMALL = [
    "dataset.train_videos=3",
    "dataset.val_videos=3",
    "dataset.test_videos=3",
    "episodes.train_queries=1",
    "episodes.train_shot=2",
    "train.episodes=4",
    "train.accumulate=2",
    "train.warmup=0",
    "train.val_interval=2",
    "train.log_interval=1",
    "train.workers=1",
    "evaluate.workers=1",
    "evaluate.episodes=60",
    "evaluate.val_episodes=20",
]
SIZES = {"dataset.train_videos": 3, "dataset.val_videos": 3, "dataset.test_videos": 3}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def fsarbench(
    home: Path, *args: str, sets: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fsarbench", *args]
    for override in sets or []:
        command += ["--set", override]
    environment = {**os.environ, "FSARBENCH_DATA": str(home / "data")}
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def run(home: Path) -> Path:
    done = fsarbench(home, "run", "configs/mafsar_synthact_1shot.py", sets=SMALL)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "runs/mafsar_synthact_1shot" in done.stdout
    # Progress goes to the other stream, so that the table can be piped.
    assert "train" in done.stderr
    return home / "runs" / "mafsar_synthact_1shot"


def test_result_says_what_was_measured_and_how(run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    conditions = result["conditions"]
    assert conditions["splits"]["test"] == {"classes": 24, "videos": 72}
    assert (conditions["episodes"], conditions["way"], conditions["shot"]) == (60, 5, 1)
    training = [conditions[f"train_{key}"] for key in ("way", "shot", "queries_a_class")]
    assert training == [5, 2, 1]
    assert conditions["selection"] == "val"
    assert conditions["route"]["cached"]
    accuracy = result["accuracy"]
    assert accuracy["low"] < accuracy["mean"] < accuracy["high"]
    assert result["parameters"]["tuned"] < result["parameters"]["total"]
    assert 0 < result["gflops"]["query_video"] < result["gflops"]["support_video"]
    assert result["gflops"]["episode"] > 5 * result["gflops"]["support_video"]
    assert result["memory"]["process_peak_bytes"] > 0
    assert {"torch", "open_clip_torch", "mmengine", "fsarbench"} <= set(result["versions"])


def test_episodes_are_those_of_the_mean(run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    with (run / "episodes.csv").open() as file:
        accuracies = [float(row["accuracy"]) for row in csv.DictReader(file)]
    assert len(accuracies) == 60
    assert sum(accuracies) / 60 == pytest.approx(result["accuracy"]["mean"], abs=1e-5)


def test_the_resolved_config_is_that_of_the_run(run: Path) -> None:
    resolved = load_config(str(run / "config.py")).values
    assert resolved == load_config("mafsar_synthact_1shot", SMALL).values


def test_the_checkpoint_holds_tuned_parts_only(run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    with safe_open(run / "best.safetensors", "pt") as file:
        names = list(file.keys())
        size = sum(file.get_tensor(name).numel() for name in names)
    assert size == result["parameters"]["tuned"]
    assert not any("trunk" in name or "text_encoder" in name for name in names)


def assert_equals_run(found: EvaluationResult, folder: Path) -> None:
    """A result of the Python API has every prediction and number that a run wrote."""
    written, result = read_predictions(folder), read_result(folder)
    assert written is not None
    assert found.predictions.same_episodes(written)
    np.testing.assert_array_equal(found.predictions.predictions, written.predictions)
    assert found.accuracy == result["accuracy"]["mean"]
    assert found.interval("episodes").low == result["accuracy"]["low"]


def test_the_python_api_tests_as_a_run_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(home / "data"))
    monkeypatch.chdir(home)
    name, sets = "frozen_synthact_1shot", [*SMALL, "evaluate.episodes=200", "evaluate.workers=0"]
    folder = run_job(name, sets, device="cpu", work_dir="same", quiet=True)
    model, data = create_model(name), load_data("synthact", **SIZES)
    found = evaluate(model, data, episodes=200)
    assert_equals_run(found, folder)
    assert found.interval("videos").high == read_result(folder)["intervals"]["videos"]["high"]


def test_the_python_api_tests_a_trained_run_as_the_run_did(
    run: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(home / "data"))
    model, data = load_checkpoint(run), load_data("synthact", **SIZES)
    assert_equals_run(evaluate(model, data, episodes=60), run)


def test_tensorboard_has_losses(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = next(run.glob("**/events.out.tfevents*"))
    log = EventAccumulator(str(events)).Reload()
    assert any("loss" in tag for tag in log.Tags()["scalars"])


def test_same_config_and_seed_same_numbers_in_a_new_folder(run: Path, home: Path) -> None:
    sets = [s for s in SMALL if "workers" not in s]
    done = fsarbench(
        home, "run", "mafsar_synthact_1shot", "--quiet", sets=[*sets, "train.workers=0"]
    )
    assert done.returncode == 0, done.stderr
    again = home / "runs" / "mafsar_synthact_1shot-2"
    assert (again / "episodes.csv").read_text() == (run / "episodes.csv").read_text()
    # Quiet is quiet.
    assert "train" not in done.stderr


def test_a_checkpoint_is_tested_alone_and_with_other_shots(run: Path, home: Path) -> None:
    command = ["eval", "mafsar_synthact_1shot", "--checkpoint", str(run), "--quiet"]
    done = fsarbench(home, *command, sets=[*SMALL, "evaluate.shots=[1, 2]"])
    assert done.returncode == 0, done.stderr
    assert "5-way 2-shot" in done.stdout
    tested = home / "runs" / "mafsar_synthact_1shot_eval"
    assert (tested / "episodes.csv").read_text() == (run / "episodes.csv").read_text()
    ours, theirs = (json.loads((place / "result.json").read_text()) for place in (tested, run))
    assert ours["checkpoint"]["sha256"] == theirs["checkpoint"]["sha256"]
    assert ours["conditions"]["selection"] == "val"
    assert [kind["shot"] for kind in ours["settings"]] == [1, 2]
    assert not (tested / "state").exists()


def test_a_checkpoint_of_another_config_is_refused(run: Path, home: Path) -> None:
    done = fsarbench(home, "eval", "aim_synthact_1shot", "--checkpoint", str(run), sets=SMALL)
    assert done.returncode == 2
    assert "does not fit the model" in done.stderr
    assert not (home / "runs" / "aim_synthact_1shot_eval").exists()


def test_strokes_run(home: Path) -> None:
    sets = [s for s in SMALL if "videos" not in s]
    done = fsarbench(home, "run", "mafsar_strokes_1shot", sets=sets)
    assert done.returncode == 0, done.stderr
    result = json.loads((home / "runs" / "mafsar_strokes_1shot" / "result.json").read_text())
    sizes = {name: split["classes"] for name, split in result["conditions"]["splits"].items()}
    assert sizes == {"train": 14, "val": 5, "test": 7}


@pytest.fixture
def folder(run: Path, home: Path, tmp_path: Path) -> Path:
    """User's videos: class folders and a split file, from rendered files."""
    made = sorted((home / "data").glob("synthact-*/**/*.mp4"))
    lines = ["class,split"]
    for number in range(6):
        name = f"class {number}"
        lines.append(f"{name},{('train', 'val', 'test')[number % 3]}")
        (tmp_path / "videos" / name).mkdir(parents=True)
        for copy in range(3):
            shutil.copy(made[9 * number + copy], tmp_path / "videos" / name / f"{copy}.mp4")
    (tmp_path / "videos" / "splits.csv").write_text("\n".join(lines) + "\n")
    configs = Path(__file__).parents[2] / "configs"
    (tmp_path / "own.py").write_text(
        f"_base_ = ['{configs}/mafsar_synthact_1shot.py']\n"
        f"dataset = dict(_delete_=True, type='VideoFolder', root='{tmp_path}/videos')\n"
        "episodes = dict(way=2)\n"
    )
    return tmp_path


OWN = [s for s in SMALL if "videos" not in s]


def test_own_videos_run(folder: Path) -> None:
    done = fsarbench(folder, "run", "own.py", sets=[*OWN, "reader.type=PyAVReader"])
    assert done.returncode == 0, done.stderr
    assert (folder / "runs" / "own" / "result.json").is_file()


def refused(folder: Path) -> str:
    done = fsarbench(folder, "run", "own.py", sets=OWN)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("runs/*/result.json"))
    return done.stderr


def test_a_corrupt_video_is_named(folder: Path) -> None:
    broken = folder / "videos" / "class 0" / "1.mp4"
    broken.write_bytes(broken.read_bytes()[:200])
    (folder / "videos" / "class 3" / "2.mp4").write_bytes(b"no video")
    error = refused(folder)
    assert "class 0/1.mp4" in error or "class 3/2.mp4" in error


def test_a_class_with_too_few_videos_is_named(folder: Path) -> None:
    for name in ("0.mp4", "1.mp4"):
        (folder / "videos" / "class 4" / name).unlink()
    error = refused(folder)
    assert "class 4" in error
    assert "queries" in error


def test_data_build_says_where_it_is(home: Path) -> None:
    done = fsarbench(home, "data", "build", "strokes")
    assert done.returncode == 0, done.stderr
    assert "14 classes" in done.stdout
    assert str(home / "data") in done.stdout
