"""Checks of one submission: all that its predictions, its config and its files can show.

Nothing of a submission is run. The config is parsed as literals, arrays are read without pickles,
and sizes are compared with limits before anything is decompressed.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import product
from pathlib import Path
from typing import Any

from fsarbench.config.components import dataset_name
from fsarbench.config.resolved import parse_resolved
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.results.config_diff import flatten
from fsarbench.results.exchange.card import SELECTED, card_bytes
from fsarbench.results.exchange.layout import (
    ARRAYS,
    CARD,
    CONFIG,
    FILES,
    LONGEST_NAME,
    WEIGHTS,
    Packed,
    place_of,
)
from fsarbench.results.exchange.pack import draw_of, episode_faults
from fsarbench.results.faults import FaultError
from fsarbench.results.finished_runs import (
    NUMBER,
    REQUIRED,
    REQUIRED_OF_SETTING,
    Run,
    at_key,
    wrong_keys,
)
from fsarbench.results.predictions import (
    EPISODES,
    Predictions,
    intervals,
    list_sha256,
    parse_predictions,
)
from fsarbench.results.run_result import RESULT, SCHEMA
from fsarbench.results.strict_json import parse_json
from fsarbench.settings import EvaluateSettings
from fsarbench.statistics.intervals import mean_interval

NONE = type(None)
# Keys of a submission's `result.json` besides those that every run has, with their types.
SUBMITTED: Mapping[str, Any] = {
    **REQUIRED,
    "accuracy.mean": NUMBER,
    "intervals.videos.confidence": NUMBER,
    "intervals.videos.half_width": (*NUMBER, NONE),
    "same_scores": NUMBER,
    "settings": list,
    "submission": Mapping,
    "submission.submitter": (str, NONE),
    "training.validations": list,
    "gflops.support_video": NUMBER,
    "gflops.query_video": NUMBER,
    "memory.process_peak_bytes": (int, NONE),
    "memory.gpu_peak_bytes": (int, NONE),
    "checkpoint": (Mapping, NONE),
    "conditions.seen_data": (Mapping, NONE),
    "conditions.features": (Mapping, NONE),
    "conditions.skipped_videos": Mapping,
    "conditions.test_list_sha256": str,
    "conditions.splits.test.classes": int,
    "conditions.splits.test.videos": int,
    "versions.fsarbench": str,
}
OF_SETTING = {**REQUIRED_OF_SETTING, "same_scores": NUMBER, "episodes_file": str}
OF_SLOT = {"slot": str, "component": str, "tuned": int, "total": int}
TASK = ("way", "shot", "queries_a_class")
# Rounding errors of other versions of numpy are far below, changed digits far above.
TOLERANCE = 1e-9


def check(packed: Packed) -> tuple[Run | None, list[FaultError]]:
    """Read and check a submission.

    Args:
        packed: Its files.

    Returns:
        The submission as a run, None if it cannot be read, and all faults.
    """
    place = packed.place
    missing = [name for name in FILES if name not in packed.content]
    if missing:
        found = ", ".join(packed.content) or "none of them"
        return None, [FaultError(place, "", f"the files {', '.join(FILES)}", found)]
    too_large = [
        FaultError(place / name, "", f"at most {FILES[name]:,} bytes", f"{len(content):,}")
        for name, content in packed.content.items()
        if len(content) > FILES[name]
    ]
    if too_large:
        return None, too_large
    try:
        result = read_result(packed)
        values = read_config(packed, result)
        predictions = parse_predictions(packed.content[EPISODES], place / EPISODES, ARRAYS)
        run = Run(
            Path(place), result, flatten(result["config"]), predictions.accuracies, predictions
        )
        return run, list(_faults(packed, run, predictions, values))
    except FaultError as fault:
        return None, [fault]


def _faults(
    packed: Packed, run: Run, predictions: Predictions, values: Mapping[str, Any]
) -> Iterator[FaultError]:
    file = packed.place / RESULT
    stated = list(statement_faults(run, file))
    if stated:  # The card and the place need them.
        yield from stated
        return
    yield from episode_faults(predictions, draw_of(run), packed.place / EPISODES)
    yield from list_faults(run, predictions, file)
    yield from config_faults(run, values, file)
    yield from accuracy_faults(run, predictions, values, file)
    if packed.content[CARD] != card_bytes(run):
        yield FaultError(packed.place / CARD, "", f"the text that {RESULT} gives", "another text")
    expected = place_of(run)
    if packed.place != expected:
        yield FaultError(packed.place, "", f"the folder {expected}", "another folder")
    yield from weight_faults(packed, run)


def read_result(packed: Packed) -> dict[str, Any]:
    """Content of `result.json`, with all keys that a submission has.

    Raises:
        FaultError: The file is damaged, is of a later version, or lacks a key.
    """
    file = packed.place / RESULT
    result = parse_json(packed.content[RESULT], file)
    schema = at_key(result, "schema")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        remedy = " (update fsarbench)" if newer else ""
        raise FaultError(file, "schema", f"{SCHEMA}{remedy}", schema)
    wrong = wrong_keys(result, SUBMITTED)
    if not wrong and len(result["settings"]) != 1:
        wrong = ["settings (one entry)"]
    wrong = wrong or [
        *(f"settings.{key}" for key in wrong_keys(result["settings"][0], OF_SETTING)),
        *(
            f"parameters.slots.{k}"
            for s in result["parameters"]["slots"]
            for k in wrong_keys(s, OF_SLOT)
        ),
        *_wrong_optional(result),
    ]
    if wrong:
        expected = "the values that docs/result-schema.md describes"
        raise FaultError(file, ", ".join(wrong), expected, "none, or of another type")
    return dict(result)


def _wrong_optional(result: Mapping[str, Any]) -> list[str]:
    """Keys of optional sections with another type."""
    sections: dict[str, Mapping[str, Any]] = {
        "checkpoint": {"sha256": str, "file": str},
        "conditions.seen_data": {"data": list, "labels": bool},
        "conditions.features": {"origin": (Mapping, NONE)},
    }
    return [
        f"{name}.{key}"
        for name, required in sections.items()
        if (content := at_key(result, name)) is not None
        for key in wrong_keys(content, required)
    ]


def read_config(packed: Packed, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the resolved config, the same in `result.json` and in `config.json`.

    Raises:
        FaultError: The text has anything but literals, or the two differ.
    """
    place = packed.place
    try:
        values = parse_resolved(result["config"], Path(place / RESULT))
    except UserError as error:
        expected = "statements `key = literal` only"
        raise FaultError(place / RESULT, "config", expected, error) from None
    try:
        plain = json.loads(json.dumps(values, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise FaultError(place / RESULT, "config", "values of JSON", error) from None
    stored = parse_json(packed.content[CONFIG], place / CONFIG)
    if stored != plain:
        keys = stored if isinstance(stored, dict) else {}
        differ = [key for key in {**plain, **keys} if plain.get(key) != keys.get(key)]
        expected = f"the config of {RESULT}: {plain.get(differ[0]) if differ else plain}"
        found = keys.get(differ[0]) if differ else type(stored).__name__
        raise FaultError(place / CONFIG, differ[0] if differ else "", expected, found)
    return values


def statement_faults(run: Run, file: object) -> Iterator[FaultError]:
    """Values of `result.json` that contradict each other, or that no run writes."""
    result, conditions, setting = run.result, run.conditions, run.result["settings"][0]
    yield from _name_faults(run, file)
    skipped, slots = bool(result["training"]["skipped"]), result["parameters"]["slots"]
    selections = ["none"] if skipped else [name for name in SELECTED if name != "none"]
    if conditions["selection"] not in selections:
        because = "training was skipped" if skipped else "the model was trained"
        expected = f"{' or '.join(selections)}, because {because}"
        yield FaultError(file, "conditions.selection", expected, conditions["selection"])
    stated = {
        **{f"parameters.{key}": result["parameters"][key] for key in ("tuned", "total")},
        **{f"settings.{key}": setting[key] for key in (*TASK, "gflops_episode", "same_scores")},
        "settings.episodes_file": setting["episodes_file"],
    }
    expected_values = {
        **{f"parameters.{key}": sum(s[key] for s in slots) for key in ("tuned", "total")},
        **{f"settings.{key}": conditions[key] for key in TASK},
        "settings.gflops_episode": result["gflops"]["episode"],
        "settings.same_scores": result["same_scores"],
        "settings.episodes_file": EPISODES,
    }
    for key, value in expected_values.items():
        if stated[key] != value:
            yield FaultError(file, key, value, stated[key])
    shares = {"same_scores": result["same_scores"], "accuracy.mean": result["accuracy"]["mean"]}
    for key, value in shares.items():
        if not 0 <= value <= 1:
            yield FaultError(file, key, "a share from 0 to 1", value)


def _name_faults(run: Run, file: object) -> Iterator[FaultError]:
    """Names that cannot be a cell of a table."""
    names = {"name": run.name, "submission.submitter": run.submitter, "data set": run.dataset}
    for key, text in names.items():
        empty = not text and key != "submission.submitter"
        if empty or not text.isprintable() or len(text) > LONGEST_NAME:
            expected = f"a name of at most {LONGEST_NAME} printable characters"
            yield FaultError(file, key, expected, text)


def list_faults(run: Run, predictions: Predictions, file: object) -> Iterator[FaultError]:
    """Numbers and hash of the test list that differ from the list of the predictions."""
    names, labels = predictions.class_names, predictions.video_labels.tolist()
    expected = {
        "episodes": len(predictions.labels),
        "splits.test.classes": len(names),
        "splits.test.videos": len(labels),
        "test_list_sha256": list_sha256(names, labels, predictions.video_ids),
    }
    for key, value in expected.items():
        stated = at_key(run.conditions, key)
        if stated != value:
            yield FaultError(file, f"conditions.{key}", f"{value}, as in {EPISODES}", stated)


def config_faults(run: Run, values: Mapping[str, Any], file: object) -> Iterator[FaultError]:
    """Conditions that differ from the resolved config."""
    conditions = run.conditions
    episodes, evaluate = (
        _section(values, name, kind)
        for name, kind in (("episodes", EpisodeSettings), ("evaluate", EvaluateSettings))
    )
    expected = {
        "episodes": evaluate["episodes"],
        "episodes_seed": evaluate["seed"],
        "queries_a_class": episodes["queries"],
        "seed": values.get("seed", 0),
    }
    if (
        conditions.get("features") is None
    ):  # features state the data set that they were computed from
        expected["dataset"] = _dataset(values)
    for key, value in expected.items():
        if conditions[key] != value:
            expected_text = f"{value}, as in the config"
            yield FaultError(file, f"conditions.{key}", expected_text, conditions[key])
    yield from _choice_faults(conditions, episodes, evaluate, file)
    select = at_key(values, "train.select")
    if select == "test" and conditions["selection"] == "val":
        expected_text = "test, as train.select of the config"
        yield FaultError(file, "conditions.selection", expected_text, conditions["selection"])


def _choice_faults(
    conditions: Mapping[str, Any],
    episodes: Mapping[str, Any],
    evaluate: Mapping[str, Any],
    file: object,
) -> Iterator[FaultError]:
    """A way and shot that the config does not test."""
    own = (episodes["way"], episodes["shot"])
    ways, shots = (_items(evaluate[key]) for key in ("ways", "shots"))
    tasks = [own, *product(ways or own[:1], shots or own[1:])]
    task = (conditions["way"], conditions["shot"])
    if task not in tasks:
        texts = " or ".join(f"{way}-way {shot}-shot" for way, shot in dict.fromkeys(tasks))
        found = f"{task[0]}-way {task[1]}-shot"
        yield FaultError(file, "conditions.way, shot", f"{texts}, as in the config", found)


def _section(values: Mapping[str, Any], name: str, kind: Any) -> dict[str, Any]:
    """Values of a section of the config; defaults where it has none or another type."""
    given = values.get(name)
    section = given if isinstance(given, Mapping) else {}
    return {field.name: section.get(field.name, field.default) for field in fields(kind)}


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _dataset(values: Mapping[str, Any]) -> str:
    try:
        return dataset_name(values)
    except (KeyError, TypeError, AttributeError):
        return "a component in dataset.type"


def accuracy_faults(
    run: Run, predictions: Predictions, values: Mapping[str, Any], file: object
) -> Iterator[FaultError]:
    """Accuracies and intervals that differ from those of the predictions."""
    confidence = _section(values, "evaluate", EvaluateSettings)["confidence"]
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        yield FaultError(file, "config", "evaluate.confidence between 0 and 1", confidence)
        return
    again = {
        "accuracy": mean_interval(predictions.accuracies, confidence),
        **{f"intervals.{k}": i for k, i in intervals(predictions, confidence).items()},
    }
    sections = {"": run.result, "settings.": run.result["settings"][0]}
    for (prefix, section), (name, interval) in product(sections.items(), again.items()):
        for key, value in asdict(interval).items():
            stated = at_key(section, f"{name}.{key}")
            # Texts may be worded differently by another version; whether there is one may not.
            if isinstance(value, str):
                same = isinstance(stated, str) and bool(stated) == bool(value)
            else:
                same = _same(value, stated)
            if not same:
                value = None if value != value else value
                expected = f"{value}, from the predictions"
                yield FaultError(file, f"{prefix}{name}.{key}", expected, stated)


def _same(value: float | int, stated: object) -> bool:
    """Whether a number equals a stated one up to rounding; NaN is stated as null."""
    if math.isnan(value):
        return stated is None
    if not isinstance(stated, int | float) or isinstance(stated, bool):
        return False
    return abs(float(stated) - value) <= TOLERANCE * max(1.0, abs(value))


def weight_faults(packed: Packed, run: Run) -> Iterator[FaultError]:
    """Weights that are not the tested checkpoint."""
    if packed.weights is None:
        return
    digest = hashlib.sha256()
    with packed.weights() as file:
        while block := file.read(2**20):
            digest.update(block)
    expected = (run.result.get("checkpoint") or {}).get("sha256")
    if digest.hexdigest() != expected:
        field = (
            f"SHA-256 {expected}, as in {RESULT}" if expected else "no weights, as in result.json"
        )
        yield FaultError(packed.place / WEIGHTS, "", field, f"SHA-256 {digest.hexdigest()}")
