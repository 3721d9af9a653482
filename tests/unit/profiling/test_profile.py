"""`fsarbench profile` on the smallest model."""

import json
from pathlib import Path

import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.profiling import operations
from fsarbench.profiling import profile as module
from fsarbench.profiling.profile import TimingOptions, profile
from fsarbench.profiling.timing_estimate import Estimate, matrix_product_rate, timed_operations
from fsarbench.report.profile_table import show

SMALL = ("episodes.way=2", "episodes.train_queries=1", "clips.frames=2")
LORA = "lora_synthact_1shot"


def test_all_results_are_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "costs" / "all.json"
    timing = TimingOptions(repeats=1, warmup=0)
    content = profile(
        [LORA], SMALL, device="cpu", json_file=str(file), timing=timing, roofline=True
    )
    assert json.loads(file.read_text()) == json.loads(json.dumps(content))
    show(content)
    (record,) = content["configs"]
    assert record["name"] == LORA
    assert record["parameters"]["tuned"] == 4 * 2 * 2 * 8 * 128
    assert set(record["measured"]) == {"encode", "match", "test_episode", "train_step"}
    encode = record["measured"]["encode"]
    assert (encode["units"], encode["memory"]) == (2, None)
    assert encode["rate"] == pytest.approx(2 / encode["timing"]["median"])
    assert record["operations"]["training"]["step"] > record["operations"]["testing"]["episode"]
    assert record["setting"]["precision"] == "fp32"
    workloads = {workload["name"]: workload for workload in content["roofline"]["work"]}
    assert set(workloads) == {"backbone pass", "training step", "OTAM", "TRX"}
    query = record["operations"]["testing"]["query_video"]
    assert workloads["backbone pass"]["operations"] == 2 * query
    assert LORA in capsys.readouterr().out


def test_without_timing_nothing_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "costs.json"
    profile(
        ["frozen_synthact_1shot"],
        SMALL,
        device="cpu",
        json_file=str(file),
        timing=TimingOptions(repeats=0),
    )
    (record,) = json.loads(file.read_text())["configs"]
    assert record["measured"] is None
    assert record["memory"]["training"] is None


def test_an_invalid_config_is_rejected_before_any_measurement() -> None:
    with pytest.raises(UserError, match="bottlneck"):
        profile([LORA, LORA], ["adapter.bottlneck=3"], device="cpu")


def inject_rate(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    """Replace the measured speed of the device."""
    monkeypatch.setattr(module, "matrix_product_rate", lambda device, bf16: rate)


def test_timing_over_the_limit_is_skipped_with_an_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inject_rate(monkeypatch, 1e3)
    timing = TimingOptions(repeats=1, warmup=0, limit=60.0)
    (record,) = profile([LORA], SMALL, device="cpu", timing=timing)["configs"]
    assert record["measured"] is None
    assert record["memory"]["training"]["total"] > 0
    shown = capsys.readouterr().err
    assert f"{LORA}: not timed, because that takes at least " in shown
    assert shown.strip().endswith("; --time does it anyway")


@pytest.mark.parametrize(("rate", "limit"), [(1e3, None), (1e15, 60.0)])
def test_timing_is_announced(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rate: float,
    limit: float | None,
) -> None:
    inject_rate(monkeypatch, rate)
    timing = TimingOptions(repeats=1, warmup=0, limit=limit)
    content = profile([LORA], SMALL, device="cpu", timing=timing)
    assert content["configs"][0]["measured"]["train_step"]["rate"] > 0
    assert f"{LORA}: timing takes at least " in capsys.readouterr().err


def test_the_estimate_counts_every_run() -> None:
    testing = operations.Testing(
        text_class=0, support_video=1, query_video=2, episode=5, slots={}, not_counted={}
    )
    training = operations.Training(forward=10, weights=20, through=30, not_counted={})
    assert timed_operations(testing, training, queries=3, runs=4) == 4 * (3 * 2 + 5 + 60)
    assert timed_operations(testing, None, queries=3, runs=4) == 4 * (3 * 2 + 5)
    assert Estimate(operations=120, rate=60.0).seconds == 2
    assert matrix_product_rate(torch.device("cpu"), bf16=False) > 0
