"""Metrics of a real run, read back from each tracker's own files."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.toy_dataset import environment, make_toy

TRACKERS = {"TensorBoard": "tensorboard", "WandB": "wandb", "MLflow": "mlflow"}
INSTALLED = [name for name, module in TRACKERS.items() if find_spec(module) is not None]
# Prints the steps and values of a metric; in a process of its own, since each package warns.
# W&B's offline file is a LevelDB log behind 7 bytes: blocks of 32 KiB, and pieces with 7 bytes of
# header, of which bytes 4 to 6 are the length and the last is 1 or 4 where a record ends.
READ_WANDB = """
import json, struct, sys
from wandb.proto import wandb_internal_pb2
data, place, record, found = open(sys.argv[1], "rb").read(), 7, b"", []
while place + 7 <= len(data):
    left = 32768 - place % 32768
    if left < 7:
        place += left
        continue
    length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
    record += data[place + 7 : place + 7 + length]
    place += 7 + length
    if kind in (1, 4):
        message = wandb_internal_pb2.Record()
        message.ParseFromString(record)
        record = b""
        items = {i.key or ".".join(i.nested_key): i.value_json for i in message.history.item}
        if sys.argv[2] in items:
            found.append([json.loads(items["episode"]), json.loads(items[sys.argv[2]])])
print(json.dumps(found))
"""
READ_MLFLOW = """
import json, os, sys
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
from mlflow.tracking import MlflowClient
client = MlflowClient("file://" + os.path.abspath(sys.argv[1]))
experiment = client.get_experiment_by_name("fsarbench")
[run] = client.search_runs([experiment.experiment_id])
history = client.get_metric_history(run.info.run_id, sys.argv[2])
assert run.data.params["matcher.type"] == "OTAM", run.data.params
print(json.dumps([[metric.step, metric.value] for metric in history]))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_toy(tmp_path_factory.mktemp("trackers"))
    names = ", ".join(f"'{name}'" for name in INSTALLED)
    command = [sys.executable, "-m", "fsarbench", "run", "toy.py", "--work-dir=run", "--quiet"]
    done = subprocess.run(
        [*command, f"--set=train.trackers=[{names}]"],
        cwd=folder,
        env={**environment(), "WANDB_MODE": "offline", "DO_NOT_TRACK": "true"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


def read(script: str, *args: str) -> list[tuple[float, float]]:
    done = subprocess.run(
        [sys.executable, "-c", script, *args], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [tuple(point) for point in json.loads(done.stdout.splitlines()[-1])]


def scalars(tracker: str, run: Path, tag: str) -> list[tuple[float, float]]:
    if tracker == "WandB":
        [file] = (run / "wandb").rglob("run-*.wandb")
        return read(READ_WANDB, str(file), tag)
    if tracker == "MLflow":
        return read(READ_MLFLOW, str(run / "mlflow"), tag)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(run / "tensorboard" / "vis_data")).Reload()
    return [(event.step, event.value) for event in log.Scalars(tag)]


def logged(run: Path, tag: str) -> list[tuple[float, float]]:
    lines = [json.loads(line) for line in (run / "train.jsonl").read_text().splitlines()]
    return [(line["episode"], line[tag]) for line in lines if tag in line]


@pytest.mark.parametrize("tracker", list(TRACKERS))
def test_a_tracker_has_losses_rates_validations_and_the_test_result(
    run: Path, tracker: str
) -> None:
    if tracker not in INSTALLED:
        pytest.skip(f"{TRACKERS[tracker]} is not installed: pip install -e '.[trackers]'")
    result: dict[str, Any] = json.loads((run / "result.json").read_text())
    validations = [(v["episode"], v["accuracy"]) for v in result["training"]["validations"]]
    assert len(validations) == 4
    approximately = [(episode, pytest.approx(value)) for episode, value in validations]
    assert scalars(tracker, run, "val/accuracy") == approximately
    [(_, tested)] = scalars(tracker, run, "test/accuracy")
    assert tested == pytest.approx(result["accuracy"]["mean"])
    for tag in ("loss", "lr", "grad_norm"):
        expected = logged(run, tag)
        assert [episode for episode, _ in expected] == [2, 4, 6, 8]
        assert scalars(tracker, run, tag) == [(e, pytest.approx(v)) for e, v in expected]
