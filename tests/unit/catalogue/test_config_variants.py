"""Configs without a file, composed from the table of variants."""

from pathlib import Path
from typing import Any

import pytest

from fsarbench.catalogue.config_variants import composed, config_names, naming_help
from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import find_config, load_config
from fsarbench.config.named_datasets import named_dataset, named_source
from fsarbench.config.resolved import resolved_text
from fsarbench.errors import UserError

BASES = """_base_ = [
    "_base_/backbones/{backbone}.py",
    "_base_/datasets/{dataset}.py",
    "_base_/methods/{method}.py",
    "_base_/settings/5way_{shot}shot.py",
{recipe}]
"""
# Backbone, data set, method, shots, recipe, and the lines after the bases.
EXPLICIT: dict[str, tuple[str, str, str, int, str, str]] = {
    "frozen_ucf101_5shot_rn50": ("clip_rn50", "ucf101", "frozen", 5, "", ""),
    "mafsar_hmdb51_1shot": ("clip_vitb16", "hmdb51", "mafsar", 1, "mafsar", ""),
    "mafsar_ssv2_5shot_vitb32": ("clip_vitb32", "ssv2", "mafsar", 5, "mafsar", ""),
    "mafsar_ssv2small_1shot_rn50": ("clip_rn50", "ssv2small", "finetune", 1, "mafsar", ""),
    "otam_ssv2_1shot": ("clip_vitb16", "ssv2", "otam", 1, "clipfsar_ssv2", ""),
    "otam_ssv2_5shot_imagenet_rn50": ("imagenet_rn50", "ssv2", "otam", 5, "trx_ssv2", ""),
    "trx_hmdb51_5shot_imagenet_rn50": ("imagenet_rn50", "hmdb51", "trx", 5, "trx", ""),
    "clipfsar_kinetics100_5shot_rn50": (
        *("clip_rn50", "kinetics100", "clipfsar", 5, "clipfsar_kinetics100"),
        "prototypes = dict(hidden=2048)\nlosses = dict(text=dict(weight=1.5))",
    ),
    "hyrsm_ssv2_1shot_imagenet_rn50": (
        *("imagenet_rn50", "ssv2", "hyrsm", 1, "hyrsm_ssv2"),
        "episodes = dict(train_queries=7)\nlosses = dict(frames=dict(weight=0.6))",
    ),
    "clipfsar_released_ssv2_5shot": (
        *("clip_vitb16", "ssv2", "clipfsar", 5, "clipfsar_ssv2"),
        "episodes = dict(train_shot=1)\nprototypes = dict(hidden=2048, as_released=True)\n"
        "matcher = dict(cosine_eps=0.01)\nlosses = dict(text=dict(weight=3.0, cosine_eps=0.01))",
    ),
    "hyrsm_released_kinetics100_5shot_imagenet_rn50": (
        *("imagenet_rn50", "kinetics100", "hyrsm_released", 5, "hyrsm_kinetics100"),
        "episodes = dict(train_queries=3)\nlosses = dict(frames=dict(weight=0.4))\n"
        "prototypes = dict(feature_scale=1.0, position_scale=0.01)",
    ),
    "hyrsm_released_ucf101_1shot_imagenet_rn50": (
        *("imagenet_rn50", "ucf101", "hyrsm_released", 1, "hyrsm_ucf101"),
        "episodes = dict(train_queries=7)\nlosses = dict(frames=dict(weight=0.15))",
    ),
    "otam_released_ssv2_5shot_imagenet_rn50": (
        *("imagenet_rn50", "ssv2", "otam", 5, "trx_ssv2"),
        "matcher = dict(cosine_eps=0.01)",
    ),
}


def explicit(folder: Path, case: tuple[str, str, str, int, str, str]) -> dict[str, Any]:
    """Values of a config file with these bases."""
    backbone, dataset, method, shot, recipe, rest = case
    line = f'    "_base_/recipes/{recipe}.py",\n' if recipe else ""
    text = BASES.format(backbone=backbone, dataset=dataset, method=method, shot=shot, recipe=line)
    (folder / "explicit.py").write_text(text + rest)
    return load_config(str(folder / "explicit.py")).values


@pytest.mark.parametrize("name", EXPLICIT)
def test_a_composed_config_equals_a_config_file_with_its_bases(name: str, tmp_path: Path) -> None:
    assert name in composed()
    assert load_config(name).values == explicit(tmp_path, EXPLICIT[name])


def test_a_config_file_replaces_the_equal_composed_config(tmp_path: Path) -> None:
    case = ("clip_vitb16", "ssv2", "mafsar", 5, "mafsar", "")
    assert (resource("configs") / "mafsar_ssv2_5shot.py").is_file()
    assert load_config("mafsar_ssv2_5shot").values == explicit(tmp_path, case)
    assert "mafsar_ssv2_5shot" not in composed()


def test_every_base_config_is_used() -> None:
    texts = "".join(composed().values())
    texts += "".join(f.read_text() for f in resource("configs").glob("*.py"))
    texts += "".join(f.read_text() for f in (resource("configs") / "profile").glob("*.py"))
    for folder in ("recipes", "methods", "backbones", "datasets"):
        for file in (resource("configs") / "_base_" / folder).glob("*.py"):
            assert f"{folder}/{file.name}" in texts


@pytest.mark.parametrize("lead", ["", "configs/", f"{resource('configs')}/"])
@pytest.mark.parametrize("suffix", ["", ".py"])
def test_a_composed_config_is_found_by_name_and_by_path(
    lead: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_config(f"{lead}otam_ssv2_1shot{suffix}")
    assert loaded.name == "otam_ssv2_1shot"
    assert loaded.values["matcher"]["type"] == "OTAM"


def test_a_file_in_the_working_folder_precedes_a_composed_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "otam_ssv2_1shot.py").write_text("seed = 5")
    (tmp_path / "mine.py").write_text("_base_ = 'otam_ssv2_1shot.py'")
    assert load_config("otam_ssv2_1shot.py").values == {"seed": 5}
    assert load_config("mine.py").values == {"seed": 5}


@pytest.mark.parametrize("lead", ["", f"{resource('configs')}/"])
def test_a_composed_config_as_base(lead: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        f"_base_ = ['{lead}hyrsm_ssv2_1shot_imagenet_rn50.py']\nseed = _base_.episodes.way\n"
        "losses = dict(frames=dict(_delete_=True, type='EpisodeCrossEntropy'))\n"
    )
    values = load_config(str(mine)).values
    assert values["seed"] == 5
    assert values["losses"]["frames"] == {"type": "EpisodeCrossEntropy"}
    lines = lines_of(mine)
    # The composed config has no file, so the message names the table.
    assert "hyrsm_ssv2_1shot_imagenet_rn50.py (composed from" in lines["episodes.train_queries"]
    assert lines["losses.match.type"].startswith(str(resource("configs") / "_base_" / "methods"))


def test_configs_are_not_composed_in_other_folders(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    with pytest.raises(UserError, match="No config"):
        find_config(str(tmp_path / "configs" / "otam_ssv2_1shot.py"))


def test_data_set_of_a_composed_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_SSV2", str(tmp_path))
    with pytest.raises(UserError, match=r"ssv2\.csv"):
        named_source("otam_ssv2_1shot")
    with pytest.raises(UserError, match="neither a data set, nor a config"):
        named_dataset("otam_ssv2_9shot")


def test_help_for_an_unknown_name_lists_the_configs_of_the_method() -> None:
    text = naming_help("protonet_ssv2_1shot")
    assert "For protonet: DATASET is one of hmdb51, kinetics100, synthact, ucf101" in text
    assert "BACKBONE is (none), imagenet_rn50" in text
    assert "For " not in naming_help("nothing_like_it")
    text = naming_help("clipfsar_released_strokes_5shot")
    assert "For clipfsar_released: DATASET is one of hmdb51, kinetics100, ssv2, ssv2small" in text


def test_the_resolved_config_can_be_saved_and_loaded(tmp_path: Path) -> None:
    loaded = load_config("clipfsar_ssv2_5shot_rn50", ["seed=3", "matcher.temperature=0.2"])
    text = resolved_text(loaded)
    file = tmp_path / "saved.py"
    file.write_text(text)
    assert load_config(str(file)).values == loaded.values
    assert "_base_ =" not in text
    lines = text.splitlines()
    assert "# --set seed=3" in lines[lines.index("seed = 3") - 1]
    matcher = next(i for i, line in enumerate(lines) if line.startswith("matcher = "))
    assert lines[matcher - 1] == "# _base_/methods/clipfsar.py, --set matcher.temperature=0.2"


def test_names_are_unique_and_sorted() -> None:
    names = config_names()
    assert names == sorted(set(names))
    assert {"mafsar_synthact_1shot", "otam_ssv2_1shot"} <= set(names)
