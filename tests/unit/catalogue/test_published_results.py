"""Published results of the catalogue: completeness, uniqueness and selection."""

from pathlib import Path
from typing import Any

import pytest

from fsarbench.catalogue.cards import cards, methods, read
from fsarbench.catalogue.published_results import (
    ALLOWED,
    UNKNOWN,
    PublishedMethod,
    other_methods,
    published_results,
    results_of,
    select,
)
from fsarbench.errors import UserError

METHODS = [*methods(), *other_methods()]
ROW = {"dataset": "hmdb51", "way": 5, "shot": 1, "accuracy": 50.0, "source": "a paper"}
PROTOCOL = {"selection": "val", "text_at_test": "none", "transductive": False}


def method(row: dict[str, Any], **properties: Any) -> PublishedMethod:
    return PublishedMethod(
        file=Path("one.toml"), title="One", published=[ROW, row], **{**PROTOCOL, **properties}
    )


def test_every_result_is_complete_and_plausible() -> None:
    for result in published_results():
        assert result.source
        assert result.tuning
        assert all(getattr(result, key) in values for key, values in ALLOWED.items())
        for accuracy in (result.accuracy, *([] if result.rerun is None else [result.rerun])):
            assert 0 < accuracy < 100
        assert (type(result.way), type(result.shot)) == (int, int)


def test_no_result_is_given_twice() -> None:
    conditions = [
        (r.method, r.pretraining, r.tuning, r.dataset, r.way, r.shot, r.source, r.note)
        for r in published_results()
    ]
    assert len(conditions) == len(set(conditions))


def test_results_of_a_method_are_not_repeated_on_its_components() -> None:
    for card in cards():
        users = [m for m in methods() if card.name in m.parts.get(card.slot, [])]
        of_methods = {(r.dataset, r.way, r.shot, r.accuracy) for m in users for r in results_of(m)}
        of_card = {(r["dataset"], r["way"], r["shot"], r["accuracy"]) for r in card.published}
        assert not of_methods & of_card, card.file


def test_a_method_has_one_file_and_gives_evidence_for_its_protocol() -> None:
    titles = [method.title for method in METHODS]
    assert len(titles) == len(set(titles))
    for method in METHODS:
        known = {method.selection, method.text_at_test} - {"", UNKNOWN}
        assert not known or method.evidence, method.file


def test_results_are_sorted_by_data_set_task_and_accuracy() -> None:
    keys = [(r.dataset, r.way, r.shot, -r.accuracy) for r in published_results()]
    assert keys == sorted(keys)


def test_a_result_overrides_the_defaults_of_its_method() -> None:
    first, second = results_of(method({**ROW, "selection": "fixed", "method": "Two", "note": "b"}))
    assert (first.method, first.selection, first.pretraining) == ("One", "val", UNKNOWN)
    assert (second.method, second.selection, second.text_at_test) == ("Two", "fixed", "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": ""}, r"one\.toml: published result 2: source is missing\. registry/README"),
        ({"accuracy": None}, "published result 2: accuracy is missing"),
        ({"selection": "best"}, "selection is 'best', expected one of val, test, fixed, unknown"),
        ({"text_at_test": "names"}, "text_at_test is 'names', expected one of none, name, LLM"),
        ({"transductive": "no"}, "transductive is 'no', expected one of false, true, unknown"),
        ({"shots": 1}, "unknown key 'shots'. Did you mean 'shot'"),
        ({"rerun": 40.0}, "rerun and rerun_source must be given together"),
    ],
)
def test_an_invalid_result_is_rejected_with_its_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        results_of(method({**ROW, **change}))


@pytest.mark.parametrize("key", ["selection", "text_at_test", "transductive"])
def test_results_without_a_protocol_are_rejected(key: str) -> None:
    with pytest.raises(UserError, match=f"published result 1: {key} is missing, expected one of"):
        results_of(method(ROW, **{key: ""}))


def test_a_file_with_an_unknown_key_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text('title = "Two"\nselected = "val"\n')
    with pytest.raises(UserError, match=r"two\.toml: not a card: .*selected"):
        read(file, PublishedMethod)


def test_a_data_set_is_selected_by_its_name_in_papers_or_configs() -> None:
    results = select(published_results(), dataset="ssv2-full", way=5, shot=1)
    assert len(results) >= 40
    assert results == select(published_results(), dataset="ssv2", way=5, shot=1)


def test_a_method_is_selected_by_its_name_or_that_of_its_card() -> None:
    by_card = select(published_results(), method="mafsar")
    assert {r.method for r in by_card} == {"MA-CLIP", "MA-FSAR"}
    assert {r.method for r in select(published_results(), method="ma-clip")} == {"MA-CLIP"}


def test_an_independent_rerun_is_stored_with_the_printed_accuracy() -> None:
    results = select(published_results(), dataset="ssv2-small", way=5, shot=1, method="MoLo")
    assert [(r.accuracy, r.rerun) for r in results if r.method == "MoLo"] == [(42.7, 39.8)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "ssv2-ful"}, "data set 'ssv2-ful'. Did you mean 'ssv2-full'"),
        ({"method": "Trokens"}, "No published result for method 'Trokens'"),
        (
            {"dataset": "hmdb51", "shot": 9},
            "for --shot 9. Available tasks: 5-way 1-shot, 5-way 3-shot",
        ),
        ({"way": 20, "shot": 1}, "for --way 20 --shot 1. Available tasks: 5-way 1-shot"),
    ],
)
def test_a_selection_without_results_is_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        select(published_results(), **options)
