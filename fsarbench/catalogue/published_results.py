"""Published results with their protocols, read without importing torch.

Results of methods with configs are in their cards in `registry/methods`. Results of other methods
are in `registry/published`, one file per method with the same keys.
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
        method: Name of the method in the source.
        dataset: Data set.
        way: Classes per episode.
        shot: Support videos per class.
        accuracy: Accuracy in percent, as printed.
        source: Paper or page with the accuracy.
        selection: How the tested checkpoint was selected: on validation classes (`val`), on the
            test classes (`test`), not at all (`fixed`), or `unknown`.
        text_at_test: Text used in the scores at test: `none`, class names (`name`), sentences of a
            language model (`LLM`) or a multimodal one (`MLLM`), or `unknown`.
        transductive: Whether a query's score depends on the other queries, or `unknown`.
        pretraining: Pre-training data and architecture of the backbone.
        tuning: Trained part of the backbone.
        rerun: Accuracy of an independent rerun in percent; None if there is none.
        rerun_source: Source of the rerun.
        evidence: Source of the protocol.
        note: Further condition.
        config: Config of fsarbench for this result.
        override: Overrides (`--set`) that the config needs for this result.
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
    """A method with published results, but without configs.

    Attributes:
        file: File of the method.
        title: Name of the method in its paper.
        selection: Default for the results of the method, as in `PublishedResult`.
        text_at_test: Default for the results of the method.
        transductive: Default for the results of the method.
        evidence: Source of these three.
        published: Published results; keys as in `PublishedResult`.
    """

    file: Path
    title: str
    selection: str = ""
    text_at_test: str = ""
    transductive: bool | str = ""
    evidence: str = ""
    published: list[dict[str, Any]] = field(default_factory=list)


KEYS = tuple(f.name for f in fields(PublishedResult))
# Keys of a method that are defaults for its results.
DEFAULTS = ("selection", "text_at_test", "transductive", "evidence")
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
    """Methods with published results, but without configs, by file name.

    Raises:
        UserError: A file cannot be read.
    """
    files = sorted((resource("registry") / "published").glob("*.toml"))
    return tuple(read(file, PublishedMethod) for file in files)


@cache
def published_results() -> tuple[PublishedResult, ...]:
    """All published results, sorted by data set, way, shot and decreasing accuracy.

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
    """Published results of a method, in the order of its file.

    Raises:
        UserError: A result is incomplete or invalid; the message names file, result and key.
    """
    return [_result(method, row, number) for number, row in enumerate(method.published, 1)]


def _result(
    method: MethodCard | PublishedMethod, row: Mapping[str, Any], number: int
) -> PublishedResult:
    defaults = {key: getattr(method, key) for key in DEFAULTS}
    # Empty values mean that the source does not state them.
    stated = {key: value for key, value in row.items() if value != ""}
    values = {"method": method.title, **defaults, **stated}
    fault = "; ".join(_faults(values))
    if fault:
        raise UserError(
            f"{method.file}: published result {number}: {fault}. registry/README.md lists the keys."
        )
    return PublishedResult(**values)


def _faults(values: Mapping[str, Any]) -> Iterable[str]:
    for key in REQUIRED:
        if values.get(key) in (None, ""):
            yield f"{key} is missing" + _expected(key)
    for key, choices in ALLOWED.items():
        value = values[key]
        if value not in (*choices, ""):
            yield f"{key} is {value!r}" + _expected(key)
    for key in values:
        if key not in KEYS:
            yield f"unknown key '{key}'.{nearest(key, KEYS).rstrip('.')}"
    if ("rerun" in values) != ("rerun_source" in values):
        yield "rerun and rerun_source must be given together"


def _expected(key: str) -> str:
    if key not in ALLOWED:
        return ""
    return f", expected one of {', '.join(map(_toml, ALLOWED[key]))}"


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
    """Select results by data set, way, shot and method; None selects all.

    Args:
        results: Results to select from.
        dataset: Name of a data set in papers or configs (`ssv2-full`, `ssv2`).
        way: Classes per episode.
        shot: Support videos per class.
        method: Name of a method in its source or of its card; the case is ignored.

    Raises:
        UserError: No result has this data set, method, way or shot.
    """
    selected = list(results)
    if dataset is not None:
        known = {r.dataset: r for r in selected}
        selected = [r for r in selected if config_spelling(r.dataset) == config_spelling(dataset)]
        _require(selected, f"data set '{dataset}'", dataset, known)
    if method is not None:
        known_methods = {r.method for r in selected}
        names = _spellings(method)
        selected = [r for r in selected if r.method.lower() in names]
        _require(selected, f"method '{method}'", method, known_methods)
    return _select_task(selected, way, shot)


def _select_task(
    results: Sequence[PublishedResult], way: int | None, shot: int | None
) -> list[PublishedResult]:
    selected = [r for r in results if way in (None, r.way) and shot in (None, r.shot)]
    if not selected:
        given = {"--way": way, "--shot": shot}
        options = " ".join(f"{key} {value}" for key, value in given.items() if value is not None)
        tasks = sorted({(r.way, r.shot) for r in results})
        listed = ", ".join(task_name(*task) for task in tasks)
        raise UserError(f"No published result for {options}. Available tasks: {listed}.")
    return selected


def _spellings(method: str) -> set[str]:
    # The results of a card may have several method names (MA-FSAR was MA-CLIP at first).
    names = {method.lower()}
    for card in _all_methods():
        card_name = card.name if isinstance(card, MethodCard) else card.title
        if method.lower() in (card.title.lower(), card_name.lower()):
            names |= {r.method.lower() for r in results_of(card)}
    return names


def _require(
    selected: list[PublishedResult], description: str, name: str, known: Iterable[str]
) -> None:
    if not selected:
        raise UserError(f"No published result for {description}.{nearest(name, sorted(known))}")


def config_spelling(dataset: str) -> str:
    """Name of a data set in configs.

    Example:
        >>> config_spelling("ssv2-full"), config_spelling("ssv2-small"), config_spelling("hmdb51")
        ('ssv2', 'ssv2small', 'hmdb51')
    """
    return dataset.lower().replace("-full", "").replace("-", "")
