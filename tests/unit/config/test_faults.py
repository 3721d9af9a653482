"""All faults of a config at once, each with the location or override that causes it."""

from pathlib import Path
from typing import Any

import pytest

from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import BRANCHES, KEYS, SECTIONS, SEEDS, LoadedConfig, load_config
from fsarbench.config.validation import check_config, find_faults
from fsarbench.data.clips import ClipSettings
from fsarbench.errors import UserError
from fsarbench.matchers.otam import OTAM
from fsarbench.registry import SLOTS
from fsarbench.settings import TrainSettings

BASE = "mafsar_synthact_1shot"


def faults(*overrides: str) -> list[str]:
    with pytest.raises(UserError) as error:
        check_config(load_config(BASE, overrides))
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def load_text(folder: Path, text: str, name: str = "mine.py") -> LoadedConfig:
    file = folder / name
    file.write_text(f"_base_ = ['{BASE}.py']\n{text}\n")
    return load_config(str(file))


def test_faults_of_components_and_sections_are_reported_together() -> None:
    messages = faults("matcher.temperature=-1", "train.lr=-1", "train.accumulate=0")
    assert sorted(messages) == [
        "--set matcher.temperature=-1: temperature is -1, expected float above 0",
        "--set train.accumulate=0: accumulate is 0, expected int at least 1",
        "--set train.lr=-1: lr is -1, expected float at least 0",
    ]


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("train={'lr': -1}", "train.lr"),
        ("train.milestones=[100, '200']", "train.milestones"),
        ("evaluate.shots=[1, 1, 1, 'x']", "evaluate.shots"),
        ("train.clip_grad=1e400", "train.clip_grad"),
        ("train.lr=1e400", "train.lr"),
        ("train.episodes=True", "train.episodes"),
        ("train.warmup=100000", "train.warmup"),
        ("train.episodes=1", "train.warmup"),
        ("clips.size=10000", "clips.resize"),
        ("losses.text={'type': 'VideoTextKL', 'temperature': 0}", "losses.text.temperature"),
        ("backbone.type=TimmViT", "backbone.pretrained"),
        ("text_encoder=None", "prototypes.type"),
        ("losses.train.type=EpisodeCrossEntropy", "losses.train"),
    ],
)
def test_a_fault_names_the_override_that_causes_it(override: str, key: str, tmp_path: Path) -> None:
    text = "train = dict(warmup=5, episodes=100)\nclips = dict(resize=128)"
    loaded = load_text(tmp_path, text)
    loaded = load_config(str(loaded.file), [override])
    with pytest.raises(UserError) as error:
        check_config(loaded)
    lines = [line.strip() for line in str(error.value).splitlines()[1:]]
    matching = [line for line in lines if line.startswith((f"{key} (--set ", f"--set {key}"))]
    assert matching, lines
    assert f"--set {override}" in matching[0]


@pytest.mark.parametrize("attempt", range(20))
def test_every_item_of_a_list_is_checked_in_repeated_checks(attempt: int) -> None:
    values = load_config(
        BASE, ["evaluate.shots=[1,1,1,'x']", "train.milestones=[100,'200']"]
    ).values
    keys = [fault.key for fault in find_faults(values)]
    assert sorted(keys) == ["evaluate.shots", "train.milestones"]


def test_inconsistent_fields_are_reported_with_other_faults() -> None:
    messages = faults("clips={'frames': 0, 'scale': [0.9, 0.5]}", "train.lr=-1")
    assert len(messages) == 3
    assert not any("ClipSettings(" in line for line in messages)


def test_a_fault_names_a_later_override_of_the_whole_section() -> None:
    (message,) = faults("train.lr=1", "train={'lr': -1}")
    assert message.startswith("train.lr (--set train={'lr': -1}): ")


def test_locations_of_keys_in_braces_subscripts_and_annotations(tmp_path: Path) -> None:
    text = (
        "train = {'lr': -1,\n  'episodes': 5}\nseed: int = 3\nclips = dict()\nclips['frames'] = 4"
    )
    lines = lines_of(load_text(tmp_path, text).file)
    mine = tmp_path / "mine.py"
    assert lines["train.lr"] == f"{mine}:2"
    assert lines["train.episodes"] == f"{mine}:3"
    assert lines["seed"] == f"{mine}:4"
    assert lines["clips.frames"] == f"{mine}:6"


HELPERS = """
import math
from math import pi
from pathlib import Path
from collections.abc import Sequence as Many

class Helper:
    pass

def half(x):
    return x / 2

_rate = half(2e-3)
try:
    from tomllib import loads
except ImportError:
    loads = None
for i in range(2):
    pass
with open(__file__ if False else "/dev/null") as stream:
    pass
train = dict(lr=_rate)
features = None
"""


def test_imported_and_defined_names_are_no_keys(tmp_path: Path) -> None:
    text = HELPERS.replace("features = None\n", "evaluate = dict(features=Path('a') / 'b')\n")
    loaded = load_text(tmp_path, text)
    check_config(loaded)
    assert loaded.values.keys() <= KEYS
    assert loaded.values["train"]["lr"] == 1e-3
    assert loaded.values["evaluate"]["features"] == str(Path("a") / "b")


def test_two_bases_may_import_the_same_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        code = (
            f"from pathlib import Path\n{'seed' if name == 'a' else 'seeds'} = len(Path('x').parts)"
        )
        (tmp_path / f"{name}.py").write_text(code)
    mine = tmp_path / "mine.py"
    mine.write_text("_base_ = ['a.py', 'b.py']\n")
    assert load_config(str(mine)).values == {"seed": 1, "seeds": 1}


def test_a_misspelt_key_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"matchr \(.*mine.py:3\): unknown top-level key"):
        check_config(load_text(tmp_path, "from pathlib import Path\nmatchr = dict(type='OTAM')"))


def test_an_imported_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared_keys_of_mine.py").write_text("seed = 17\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_text(tmp_path, "from shared_keys_of_mine import seed").values["seed"] == 17


def test_variables_for_the_path_of_the_config_are_replaced_in_a_copy(tmp_path: Path) -> None:
    text = "from pathlib import Path\nevaluate = dict(features='{{ fileDirname }}/features')"
    features = load_text(tmp_path, text).values["evaluate"]["features"]
    assert features == (tmp_path / "features").as_posix()


def test_top_level_keys() -> None:
    assert {*SLOTS, BRANCHES, *SECTIONS, *SEEDS, "custom_imports"} == KEYS


GOOD: dict[str, list[Any]] = {
    "train.lr": [0, 1e-300, 1e300, 3],
    "train.clip_grad": [None, 1, 1e-5],
    "train.milestones": [[], [1], [3, 5]],
    "train.checkpointing": [True, False, 0, 3],
    "clips.scale": [[0.5, 1], None],
    "evaluate.features": ["a 'quoted' \\ \"path\"", "~/ä", "two\nlines"],
    "evaluate.cache": [True, "auto"],
    "matcher.temperature": [1, 0.25],
    "seed": [0, 2**63 - 1],
}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in GOOD.items() for v in vs])
def test_valid_values_can_be_loaded_from_the_resolved_config(
    key: str, value: Any, tmp_path: Path
) -> None:
    loaded = load_config(BASE, [f"{key}={value!r}"])
    check_config(loaded)
    file = tmp_path / "config.py"
    file.write_text(loaded.text(), encoding="utf-8")
    again = load_config(str(file))
    check_config(again)
    assert again.values == loaded.values


def test_messages_of_constructors() -> None:
    with pytest.raises(UserError) as error:
        ClipSettings(frames=0, jitter=2.0)
    assert str(error.value) == (
        "clips.frames is 0, expected int at least 1; "
        "clips.jitter is 2.0, expected float at least 0 and below 1."
    )
    with pytest.raises(UserError, match="OTAM: temperature is -1, expected float above 0"):
        OTAM(temperature=-1)
    with pytest.raises(UserError, match=r"train\.lr is nan, .*not finite"):
        TrainSettings(lr=float("nan"))


def test_existing_weights_pass_the_check(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"")
    for pretrained in (tmp_path / "weights.pt", "synthact", None):
        check_config(load_config(BASE, [f"backbone.pretrained={pretrained}"]))
    assert resource("configs").is_dir()
