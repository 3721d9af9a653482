"""Reading of finished runs: messages about missing keys."""

import json
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.results.finished_runs import REQUIRED, read_run
from tests.helpers.finished_runs import finish


@pytest.mark.parametrize("key", REQUIRED)
@pytest.mark.parametrize("value", [None, {"other": []}])
def test_a_missing_key_of_the_result_is_named(key: str, value: object, tmp_path: Path) -> None:
    if key == "memory" and value:
        value = "much"
    file = finish(tmp_path, "mine") / "result.json"
    result = json.loads(file.read_text())
    *parents, name = key.split(".")
    section = result
    for parent in parents:
        section = section[parent]
    section[name] = value
    file.write_text(json.dumps(result))
    with pytest.raises(UserError, match=f"not a complete result .*: {key} missing"):
        read_run(file.parent)


@pytest.mark.parametrize("key", ["episodes_file", "way", "gflops_episode"])
def test_a_missing_key_of_a_test_setting_is_named(key: str, tmp_path: Path) -> None:
    file = finish(tmp_path, "mine", shots=(5,)) / "result.json"
    result = json.loads(file.read_text())
    del result["settings"][1][key]
    file.write_text(json.dumps(result))
    with pytest.raises(UserError, match=f"{key} missing"):
        read_run(file.parent)
