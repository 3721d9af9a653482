"""`fsarbench profile` on the smallest model."""

import json
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.profiling.profile import TimingOptions, profile
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
