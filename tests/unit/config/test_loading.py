"""Finding, loading, overriding and writing of configs."""

from pathlib import Path

import pytest

from fsarbench.catalogue.config_variants import config_names
from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import find_config, load_config, parse_value
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.experiments import check
from fsarbench.experiments.check import Checked, check_all
from fsarbench.experiments.dry_run import dry_run

NAMES = config_names()


@pytest.mark.parametrize(
    "name",
    ["mafsar_ssv2_1shot", "mafsar_ssv2_1shot.py", "configs/mafsar_ssv2_1shot.py"],
)
def test_a_config_is_found_by_name_from_any_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == resource("configs") / "mafsar_ssv2_1shot.py"


def test_a_path_precedes_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mafsar_ssv2_1shot.py"
    mine.write_text("seed = 3")
    assert load_config("mafsar_ssv2_1shot.py").values == {"seed": 3}


def test_all_configs_pass_the_check_in_one_process() -> None:
    results = check_all()
    assert {result.name for result in results} >= set(NAMES)
    assert not [result.fault for result in results if result.fault]
    videos = {result.name: result.videos for result in results}
    assert videos["mafsar_synthact_1shot"], "built-in videos are always there"


def test_the_table_of_all_configs_shows_faults_and_missing_videos(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Checked("good", "", False), Checked("bad", "2 faults: ...", True)]
    monkeypatch.setattr(check, "check_all", lambda: found)
    assert not check.print_all()
    shown = capsys.readouterr()
    rows = [line.split() for line in shown.out.splitlines()]
    assert rows[1:3] == [["good", "OK", "not", "here"], ["bad", "faults"]]
    assert shown.out.endswith("2 configs, 1 with faults\n")
    assert shown.err == "bad: 2 faults: ...\n"


def test_overrides_of_nested_keys() -> None:
    values = load_config("mafsar_synthact_1shot", ["losses.text.weight=0.25", "seed=7"]).values
    assert values["losses"]["text"]["weight"] == 0.25
    assert values["losses"]["match"]["type"] == "EpisodeCrossEntropy"
    assert values["seed"] == 7


def test_replacing_a_component_drops_and_lists_unknown_arguments() -> None:
    overrides = ["adapter.bottleneck=8", "adapter.gta=False", "adapter.type=STAdapter"]
    loaded = load_config("mafsar_synthact_1shot", overrides[1:])
    # The type is replaced first in any order, so gta is an unknown argument and is not dropped.
    assert loaded.values["adapter"] == {"type": "STAdapter", "gta": False}
    with pytest.raises(UserError, match="STAdapter has no argument 'gta'"):
        check_config(loaded)
    loaded = load_config("mafsar_synthact_1shot", ["readout.type=MatchOnly"])
    assert loaded.dropped == {"readout": ["alpha"]}
    assert loaded.values["readout"] == {"type": "MatchOnly"}


@pytest.mark.parametrize("quoted", ["'MatchOnly'", '"MatchOnly"', " 'MatchOnly' "])
def test_a_type_may_be_quoted(quoted: str) -> None:
    unquoted = load_config("mafsar_synthact_1shot", ["readout.type=MatchOnly"])
    loaded = load_config("mafsar_synthact_1shot", [f"readout.type={quoted}"])
    assert unquoted.dropped["readout"]
    assert (loaded.values, loaded.dropped) == (unquoted.values, unquoted.dropped)
    check_config(loaded)


def test_the_text_of_a_config_loads_to_the_same_values(tmp_path: Path) -> None:
    loaded = load_config("mafsar_synthact_5shot", ["seed=5"])
    file = tmp_path / "dumped.py"
    file.write_text(loaded.text())
    assert load_config(str(file)).values == loaded.values


def test_locations_of_keys_in_config_and_base(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text("a = dict(x=1,\n         y=2)\nb = 3\n")
    child = tmp_path / "child.py"
    child.write_text("_base_ = 'base.py'\n\na = dict(y=4)\n")
    lines = lines_of(child)
    assert lines["a.y"] == f"{child}:3"
    assert lines["a.x"] == f"{tmp_path / 'base.py'}:1"
    assert lines["b"] == f"{tmp_path / 'base.py'}:3"


def test_a_config_in_any_folder_can_have_bases_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "between.py").write_text("_base_ = 'mafsar_synthact_1shot.py'\n\nseed = 3\n")
    mine = tmp_path / "mine.py"
    mine.write_text(
        "_base_ = [\n    'between.py',\n]\nmatcher = dict(temperature=_base_.seed / 10)\n"
    )
    values = load_config(str(mine)).values
    assert values["matcher"] == {"type": "OTAM", "temperature": 0.3}
    lines = lines_of(mine)
    assert lines["matcher.temperature"] == f"{mine}:4"
    assert lines["seed"] == f"{tmp_path / 'between.py'}:3"
    assert lines["adapter.type"].startswith(str(resource("configs") / "_base_" / "methods"))


def test_a_base_in_the_folder_of_the_config_precedes_the_package(tmp_path: Path) -> None:
    (tmp_path / "mafsar_synthact_1shot.py").write_text("seed = 5")
    mine = tmp_path / "mine.py"
    mine.write_text("_base_ = 'mafsar_synthact_1shot.py'\n")
    assert load_config(str(mine)).values == {"seed": 5}


def test_a_missing_base_is_reported_with_the_searched_folders(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("_base_ = 'nowhere.py'\n")
    with pytest.raises(UserError) as error:
        load_config(str(mine))
    assert str(tmp_path / "nowhere.py") in str(error.value)
    assert str(resource("configs")) in str(error.value)


def test_a_misspelt_base_gives_the_nearest_names(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("_base_ = ['hyrsm_ssv2_1shot_imagenet_rn5.py']\n")
    with pytest.raises(UserError, match="Did you mean 'hyrsm_ssv2_1shot_imagenet_rn50'"):
        load_config(str(mine))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1e-3", 1e-3),
        ("[6, 7]", [6, 7]),
        ("'1'", "1"),
        ("a photo of {}", "a photo of {}"),
    ],
)
def test_values_of_overrides(text: str, value: object) -> None:
    assert parse_value(text) == value


COUNTS = {
    # v1 of the paper gives 18.54 M of 169.81 M, 90.99 M of 154.43 M and 3.15 M of 154.43 M.
    ("mafsar_ssv2small_1shot_vitb32", ()): (18_537_728, 169_815_041),
    ("finetune_ssv2small_1shot_vitb32", ()): (91_001_600, 154_429_697),
    ("finetune_ssv2small_1shot_vitb32", ("adapter.type=Frozen",)): (3_152_384, 154_429_697),
    ("mafsar_ssv2_5shot", ()): (18_537_728, 168_158_465),
}


@pytest.mark.parametrize("case", COUNTS, ids=lambda case: "-".join([case[0], *case[1]]))
def test_parameter_counts_equal_those_of_the_paper(case: tuple[str, tuple[str, ...]]) -> None:
    rows = dry_run(load_config(*case).values)
    assert (sum(row.tuned for row in rows), sum(row.total for row in rows)) == COUNTS[case]


def test_adapters_on_some_blocks_only() -> None:
    rows = dry_run(load_config("mafsar_ssv2_5shot", ["adapter.blocks=[-1, 3]"]).values)
    assert next(row for row in rows if row.slot == "adapter").tuned == 2 * 1_281_600 + 6_144


def test_custom_imports_are_part_of_the_resolved_config(tmp_path: Path) -> None:
    """Otherwise the config in a run folder could not be loaded again."""
    (tmp_path / "module_of_my_own.py").write_text("")
    config = tmp_path / "mine.py"
    config.write_text("custom_imports = dict(imports=['module_of_my_own'])\nseed = 3\n")
    resolved = load_config(str(config)).text()
    (tmp_path / "config.py").write_text(resolved)
    again = load_config(str(tmp_path / "config.py"))
    assert again.imports == ["module_of_my_own"]
    assert again.values == {"seed": 3}
    assert again.text() == resolved
    assert "custom_imports" not in load_config("mafsar_ssv2_1shot").text()
