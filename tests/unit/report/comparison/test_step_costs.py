import json
from pathlib import Path
from typing import Any

import pytest

from fsarbench.errors import UserError
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.to_csv_json import csv_text, json_text
from fsarbench.report.comparison.to_text import markdown
from tests.helpers.finished_runs import finish

OURS = "adapter = dict(type='AIM')\nbackbone = dict(model='tiny', type='OpenClipViT')\n"
REST = "dataset = dict(type='Other')\nmatcher = dict(temperature=0.1, type='OTAM')\n"


def costs(measured: Any = None, config: str = OURS + REST) -> dict[str, Any]:
    return {
        "schema": 1,
        "device": {"type": "cuda", "name": "Some GPU"},
        "configs": [
            {
                "name": "another name",
                "config": config,
                "operations": {"training": {"step": 21_500_000_000}},
                "memory": {"training": {"total": 3 * 2**30}},
                "measured": measured,
            }
        ],
    }


@pytest.fixture
def profiled(tmp_path: Path) -> Any:
    runs = [finish(tmp_path / name, name, adapter=name) for name in ("AIM", "LoRA")]

    def compared(content: Any) -> Any:
        file = tmp_path / "costs.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return comparison_of(runs, profile=str(file))

    return compared


def test_the_same_assembly_is_found_by_its_config(profiled: Any) -> None:
    text = markdown(profiled(costs()))
    head = next(line for line in text.splitlines() if "GFLOPs per step" in line)
    row = next(line for line in text.splitlines() if line.startswith("| ") and "AIM" in line)
    cells = dict(zip(head.split("|"), row.split("|"), strict=True))
    found = {name.strip(): value.strip() for name, value in cells.items()}
    headers = ("GFLOPs per step", "step memory (GiB)", "step time (s)")
    assert [found[header] for header in headers] == ["21.5", "3.00", ""]
    assert "Configs not in costs.json: LoRA." in text


def test_what_was_measured_comes_first(profiled: Any) -> None:
    measured = {"train_step": {"timing": {"median": 0.25}, "memory": {"tensors": 2 * 2**30}}}
    comparison = profiled(costs(measured))
    aim, lora = json.loads(json_text(comparison))["measured"]
    assert aim["method"] == "AIM"
    assert aim["train_step"] == {"operations": 21.5e9, "memory": 2 * 2**30, "seconds": 0.25}
    assert lora["train_step"] is None
    assert "train_step.seconds" in csv_text(comparison).splitlines()[0]
    assert "on Some GPU" in markdown(comparison)


def test_another_matcher_is_another_assembly(profiled: Any) -> None:
    other = OURS + REST.replace("0.1", "0.2")
    assert "Configs not in costs.json: AIM, LoRA." in markdown(profiled(costs(config=other)))


@pytest.mark.parametrize("content", ["no json", "[]", '{"schema": 99, "configs": []}'])
def test_another_file_is_refused(profiled: Any, content: str) -> None:
    with pytest.raises(UserError, match=r"costs\.json"):
        profiled(content)
