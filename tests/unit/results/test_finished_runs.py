"""Folders of runs that others sent: what is missing is one message."""

import json
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.results.finished_runs import NEEDED, read_run
from tests.helpers.finished_runs import finish


@pytest.mark.parametrize("key", NEEDED)
@pytest.mark.parametrize("value", [None, {"other": []}])
def test_a_result_without_a_key_is_refused_by_its_name(
    key: str, value: object, tmp_path: Path
) -> None:
    if key == "memory" and value:
        value = "much"
    file = finish(tmp_path, "mine") / "result.json"
    result = json.loads(file.read_text())
    *places, name = key.split(".")
    part = result
    for place in places:
        part = part[place]
    part[name] = value
    file.write_text(json.dumps(result))
    with pytest.raises(UserError, match=f"result.json is no whole result .*: {key} missing"):
        read_run(file.parent)


@pytest.mark.parametrize("key", ["episodes_file", "way", "gflops_episode"])
def test_a_setting_without_a_key_is_refused_by_its_name(key: str, tmp_path: Path) -> None:
    file = finish(tmp_path, "mine", shots=(5,)) / "result.json"
    result = json.loads(file.read_text())
    del result["settings"][1][key]
    file.write_text(json.dumps(result))
    with pytest.raises(UserError, match=f"{key} missing"):
        read_run(file.parent)
