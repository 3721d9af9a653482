"""Method cards match their configs, and configs match their names."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsarbench.catalogue.cards import MethodCard, cards, methods
from fsarbench.catalogue.config_variants import config_names
from fsarbench.catalogue.published_results import UNKNOWN, PublishedResult, published_results
from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.registry import SLOTS

METHODS = methods()
ids = [card.name for card in METHODS]
CONFIGS = config_names()
BUILT_IN = ("synthact", "strokes")
TABLE = Path(__file__).parents[3] / "shared" / "spec" / "published_results.csv"
BACKBONES = {
    "": ("OpenClipViT", "ViT-B-16"),
    "_vitb32": ("OpenClipViT", "ViT-B-32"),
    "_rn50": ("OpenClipResNet", "RN50"),
    "_imagenet_rn50": ("TimmCNN", "resnet50.tv_in1k"),
}
PRETRAINING = {  # the backbones that configs have; others have results and no config
    "CLIP-ViT-B/16": "",
    "CLIP-ViT-B/32": "_vitb32",
    "CLIP-RN50": "_rn50",
    "ImageNet-RN50": "_imagenet_rn50",
    "": "_imagenet_rn50",  # ProtoNet's: the table does not say
}
NAME = re.compile(r"([a-z][a-z0-9]*(?:_released)?)_([a-z0-9]+)_(\d+)shot((?:_[a-z0-9]+)*)")
RESULTS = [(card, result) for card in METHODS for result in card.published]


@pytest.fixture(scope="module")
def values() -> dict[str, dict[str, Any]]:
    """Values of every config, loaded once."""
    return {name: load_config(name).values for name in CONFIGS}


def parts_of(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Slots and components of a config."""
    for slot in ("backbone", "adapter", "neck", "prototypes", "matcher", "readout"):
        for owner in (values, *(values.get("branches") or {}).values()):
            if owner.get(slot):
                yield slot, owner[slot]["type"]
    for spec in values.get("losses", {}).values():
        yield "losses", spec["type"]


def test_every_config_belongs_to_a_method_and_every_method_has_one_on_synthact() -> None:
    assert sorted(name for card in METHODS for name in card.configs) == CONFIGS
    for card in METHODS:
        assert f"{card.name}_synthact_1shot" in card.configs


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_matches_its_name(name: str, values: dict[str, dict[str, Any]]) -> None:
    match = NAME.fullmatch(name)
    assert match
    config, (_, dataset, shot, backbone) = values[name], match.groups()
    assert config["dataset"].get("name", config["dataset"]["type"].lower()) == dataset
    assert (config["episodes"]["way"], config["episodes"]["shot"]) == (5, int(shot))
    built_in = ("OpenClipViT", "fsarbench-tiny")
    model = (config["backbone"]["type"], config["backbone"]["model"])
    assert model == (built_in if dataset in BUILT_IN else BACKBONES[backbone])
    if config.get("text_encoder"):
        assert config["text_encoder"]["model"] == config["backbone"]["model"]


@pytest.mark.parametrize("card", METHODS, ids=ids)
def test_components_are_those_of_the_configs(
    card: MethodCard, values: dict[str, dict[str, Any]]
) -> None:
    used = {part for name in card.configs for part in parts_of(values[name])}
    assert used == {(slot, name) for slot, names in card.parts.items() for name in names}


@pytest.mark.parametrize("card", METHODS, ids=ids)
def test_facts_for_comparisons_follow_from_the_components(
    card: MethodCard, values: dict[str, dict[str, Any]]
) -> None:
    parts = [(slot, name) for slot, names in card.parts.items() for name in names]
    reading = {slot for slot, name in parts if getattr(SLOTS[slot].find(name), "uses_text", False)}
    trained = any(values[name]["train"]["episodes"] for name in card.configs)
    assert card.names_at_test == bool(reading - {"losses"})
    assert card.names_in_training == bool(trained and reading)
    of_parts = {(c.slot, c.name): c.transductive for c in cards()}
    assert card.transductive == any(of_parts[part] for part in parts)


def test_file_and_name_agree() -> None:
    assert [card.file.stem for card in METHODS] == ids


@pytest.mark.parametrize(
    ("card", "result"), RESULTS, ids=lambda x: x.name if isinstance(x, MethodCard) else ""
)
def test_a_published_result_has_a_source_and_names_its_config(
    card: MethodCard, result: dict[str, Any], values: dict[str, dict[str, Any]]
) -> None:
    assert result["source"]
    assert 0 < result["accuracy"] < 100
    dataset = {"ssv2-full": "ssv2", "ssv2-small": "ssv2small"}.get(
        result["dataset"], result["dataset"]
    )
    suffix = PRETRAINING.get(result["pretraining"])
    name = f"{card.name}_{dataset}_{result['shot']}shot{suffix}"
    assert result.get("config") == (name if name in values else None)
    assert (name in values) == (result["shot"] in (1, 5) and suffix is not None)


def test_configs_of_public_data_sets_reproduce_a_published_result() -> None:
    named = {result.get("config") for _, result in RESULTS}
    # A method with the components of its released code stands for the same results.
    plain = {name.replace("_released", "") for name in CONFIGS}
    fields = {name for name in plain if not any(data in name for data in BUILT_IN)}
    # The paper prints parameters of this one, and no accuracy that we have.
    assert fields - named == {"finetune_ssv2small_1shot_vitb32"}


@pytest.mark.parametrize(
    ("config", "override"),
    sorted({(r["config"], r["override"]) for _, r in RESULTS if "override" in r}),
)
def test_overrides_of_published_results_pass_the_check(config: str, override: str) -> None:
    check_config(load_config(config, override.split(" --set ")))


def rows_of(result: PublishedResult) -> Iterator[tuple[Any, ...]]:
    """A result as a row of the table, where an independent rerun is a row of its own."""
    pretraining = result.pretraining.replace(UNKNOWN, "")  # the table leaves the cell empty
    named = (result.method, pretraining, result.tuning, result.dataset)
    task = (result.way, result.shot)
    yield (*named, result.source, result.note, *task, result.accuracy)
    if result.rerun is not None:
        yield (*named, result.rerun_source, "independent rerun", *task, result.rerun)


@pytest.mark.skipif(not TABLE.is_file(), reason="the table of published results is not here")
def test_published_results_are_rows_of_the_table_and_the_reverse() -> None:
    with TABLE.open(encoding="utf-8") as stream:
        table = [
            (*(row[k] for k in KEYS), int(row["way"]), int(row["shot"]), float(row["accuracy"]))
            for row in csv.DictReader(stream)
        ]
    assert sorted(row for r in published_results() for row in rows_of(r)) == sorted(table)


KEYS = ("method", "pretraining", "tuning", "dataset", "source", "note")
