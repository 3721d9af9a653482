"""Published results of the field, with how each was obtained; read without importing torch.

Results of a method that has configs here stand on its card in `registry/methods`; those of other
methods stand in `registry/published`, one file per method with the same keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from fsarbench.catalogue.cards import MethodCard, methods, read
from fsarbench.catalogue.package_data import resource
from fsarbench.errors import UserError, nearest

UNKNOWN = "unknown"
SELECTION = ("val", "test", "fixed", UNKNOWN)
TEXT_AT_TEST = ("none", "name", "LLM", "MLLM", UNKNOWN)
TRANSDUCTIVE = (False, True, UNKNOWN)


def task_name(way: int, shot: int) -> str:
    """Name of an N-way K-shot task, as all tables print it.

    Example:
        >>> task_name(5, 1)
        '5-way 1-shot'
    """
    return f"{way}-way {shot}-shot"


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """One published accuracy and its protocol.

    Attributes:
        method: The method as its source spells it.
        dataset: The data set.
        way: Classes per episode.
        shot: Support videos per class.
        accuracy: In percent, as printed.
        source: Where it is printed.
        selection: How the tested checkpoint was selected: on validation classes (`val`), on the
            test classes (`test`), not at all (`fixed`), or `unknown`.
        text_at_test: The text that enters the scores at test: `none`, class names (`name`),
            sentences of a language model (`LLM`), a multimodal one (`MLLM`), or `unknown`.
        transductive: Whether a query's score depends on the other queries, or `unknown`.
        pretraining: Pre-training data and architecture of the backbone.
        tuning: The trained part of the backbone.
        rerun: Accuracy of an independent rerun in percent; None where there is none.
        rerun_source: Where the rerun is reported.
        evidence: Where the protocol is known from.
        note: A further condition.
        config: The config of this project that stands for it.
        override: What has to be set beside the config.
    """

    method: str
    dataset: str
    way: int
    shot: int
    accuracy: float
    source: str
    selection: str
    text_at_test: str
    transductive: bool | str
    pretraining: str = UNKNOWN
    tuning: str = UNKNOWN
    rerun: float | None = None
    rerun_source: str = ""
    evidence: str = ""
    note: str = ""
    config: str = ""
    override: str = ""

    @property
    def task(self) -> str:
        """Way and shot, in words."""
        return task_name(self.way, self.shot)


@dataclass(frozen=True, kw_only=True)
class PublishedMethod:
    """A method that has results and no configs here.

    Attributes:
        file: Its file.
        title: The method as its paper spells it.
        selection: As in `PublishedResult`, for all results without one of their own.
        text_at_test: Likewise.
        transductive: Likewise.
        evidence: Where these are known from.
        published: The results; keys as in `PublishedResult`.
    """

    file: Path
    title: str
    selection: str = ""
    text_at_test: str = ""
    transductive: bool | str = ""
    evidence: str = ""
    published: list[dict[str, Any]] = field(default_factory=list)


KEYS = tuple(f.name for f in fields(PublishedResult))
OF_METHODS = ("selection", "text_at_test", "transductive", "evidence")
REQUIRED = (
    "dataset",
    "way",
    "shot",
    "accuracy",
    "source",
    "selection",
    "text_at_test",
    "transductive",
)
ALLOWED = {"selection": SELECTION, "text_at_test": TEXT_AT_TEST, "transductive": TRANSDUCTIVE}


@cache
def other_methods() -> tuple[PublishedMethod, ...]:
    """The methods that have published results and no configs here, by file name.

    Raises:
        UserError: A file cannot be read.
    """
    files = sorted((resource("registry") / "published").glob("*.toml"))
    return tuple(read(file, PublishedMethod) for file in files)


@cache
def published_results() -> tuple[PublishedResult, ...]:
    """All published results, sorted by data set, way, shot and falling accuracy.

    Raises:
        UserError: A file cannot be read, or a result is incomplete.
    """
    results = [r for method in _all_methods() for r in results_of(method)]
    return tuple(
        sorted(results, key=lambda r: (r.dataset, r.way, r.shot, -r.accuracy, r.method, r.source))
    )


def _all_methods() -> list[MethodCard | PublishedMethod]:
    return [*methods(), *other_methods()]


def results_of(method: MethodCard | PublishedMethod) -> list[PublishedResult]:
    """The published results of a method, in the order of its file.

    Raises:
        UserError: A result is incomplete; the message names file, result and key.
    """
    return [_result(method, row, number) for number, row in enumerate(method.published, 1)]


def _result(
    method: MethodCard | PublishedMethod, row: Mapping[str, Any], number: int
) -> PublishedResult:
    common = {key: getattr(method, key) for key in OF_METHODS}
    # An empty cell of a table means that the source does not say.
    stated = {key: value for key, value in row.items() if value != ""}
    values = {"method": method.title, **common, **stated}
    fault = "; ".join(_faults(values))
    if fault:
        raise UserError(
            f"{method.file}: published result {number}: {fault}. registry/README.md lists the keys."
        )
    return PublishedResult(**values)


def _faults(values: Mapping[str, Any]) -> Iterable[str]:
    for key in REQUIRED:
        if values.get(key) in (None, ""):
            yield f"{key} is missing" + _choices(key)
    for key, choices in ALLOWED.items():
        value = values[key]
        if value not in (*choices, ""):
            yield f"{key} = {value!r}" + _choices(key)
    for key in values:
        if key not in KEYS:
            yield f"unknown key '{key}'.{nearest(key, KEYS).rstrip('.')}"
    if ("rerun" in values) != ("rerun_source" in values):
        yield "rerun and rerun_source belong together"


def _choices(key: str) -> str:
    if key not in ALLOWED:
        return ""
    return ", where one of " + ", ".join(map(_toml, ALLOWED[key])) + " is expected"


def _toml(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def select(
    results: Iterable[PublishedResult],
    *,
    dataset: str | None = None,
    way: int | None = None,
    shot: int | None = None,
    method: str | None = None,
) -> list[PublishedResult]:
    """The results of a data set, way, shot and method; None stands for all.

    Args:
        results: The results to choose from.
        dataset: A data set as papers or as configs spell it (`ssv2-full`, `ssv2`).
        way: Classes per episode.
        shot: Support videos per class.
        method: A method as its source spells it, or the name of its card; case is ignored.

    Raises:
        UserError: No result is of that data set, method, way or shot.
    """
    chosen = list(results)
    if dataset is not None:
        known = {r.dataset: r for r in chosen}
        chosen = [r for r in chosen if config_spelling(r.dataset) == config_spelling(dataset)]
        _require(chosen, f"data set '{dataset}'", dataset, known)
    if method is not None:
        known_methods = {r.method for r in chosen}
        names = _spellings(method)
        chosen = [r for r in chosen if r.method.lower() in names]
        _require(chosen, f"method '{method}'", method, known_methods)
    return _of_task(chosen, way, shot)


def _of_task(
    results: Sequence[PublishedResult], way: int | None, shot: int | None
) -> list[PublishedResult]:
    chosen = [r for r in results if way in (None, r.way) and shot in (None, r.shot)]
    if not chosen:
        asked = {"--way": way, "--shot": shot}
        options = " ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        tasks = sorted({(r.way, r.shot) for r in results})
        listed = ", ".join(task_name(*task) for task in tasks)
        raise UserError(f"No published result for {options}. There are: {listed}.")
    return chosen


def _spellings(method: str) -> set[str]:
    # A card's results may stand under several names (MA-FSAR: MA-CLIP in its first version).
    names = {method.lower()}
    for card in _all_methods():
        card_name = card.name if isinstance(card, MethodCard) else card.title
        if method.lower() in (card.title.lower(), card_name.lower()):
            names |= {r.method.lower() for r in results_of(card)}
    return names


def _require(chosen: list[PublishedResult], asked: str, name: str, known: Iterable[str]) -> None:
    if not chosen:
        raise UserError(f"No published result for {asked}.{nearest(name, sorted(known))}")


def config_spelling(dataset: str) -> str:
    """The name of a data set as configs spell it.

    Example:
        >>> config_spelling("ssv2-full"), config_spelling("ssv2-small"), config_spelling("hmdb51")
        ('ssv2', 'ssv2small', 'hmdb51')
    """
    return dataset.lower().replace("-full", "").replace("-", "")
