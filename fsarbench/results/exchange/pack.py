"""Files of a submission, made from the folder of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fsarbench.config.resolved import parse_resolved
from fsarbench.results.exchange.card import card_bytes
from fsarbench.results.exchange.layout import (
    CARD,
    CONFIG,
    WEIGHTS,
    Packed,
    json_bytes,
    place_of,
)
from fsarbench.results.faults import FaultError
from fsarbench.results.finished_runs import Run, read_run
from fsarbench.results.predictions import (
    EPISODE_ARRAYS,
    EPISODES,
    Draw,
    Predictions,
    compact_predictions,
    drawn_again,
    list_sha256,
)
from fsarbench.results.run_result import RESULT


def pack(folder: Path, submitter: str | None = None, weights: bool = False) -> list[Packed]:
    """Files of a run, once per test setting.

    Args:
        folder: Folder of the run.
        submitter: Person or lab; None for that of the result, or none.
        weights: Whether to add `best.safetensors`.

    Raises:
        UserError: A file of the run is missing or damaged, or its episodes are not those of its
            seed.
    """
    return [_pack(run, submitter, weights) for run in read_run(folder)]


def _pack(run: Run, submitter: str | None, weights: bool) -> Packed:
    predictions = run.predictions
    if predictions is None:
        file = run.folder / EPISODES
        raise FaultError(file, "", "the predictions of all episodes", "no such file")
    draw = draw_of(run)
    if fault := next(episode_faults(predictions, draw, run.folder / EPISODES), None):
        raise fault
    filed = replace(run, result=filed_result(run, predictions, submitter))
    values = parse_resolved(str(run.result["config"]), run.folder / RESULT)
    content = {
        RESULT: json_bytes(filed.result),
        EPISODES: compact_predictions(predictions, draw),
        CONFIG: json_bytes(values),
        CARD: card_bytes(filed),
    }
    file = run.folder / WEIGHTS
    if weights and filed.result["checkpoint"] is not None and not file.is_file():
        raise FaultError(file, "", "the checkpoint that was tested", "no such file")
    packed = Packed(place_of(filed), content)
    return (
        replace(packed, weights=lambda: file.open("rb")) if weights and file.is_file() else packed
    )


def draw_of(run: Run) -> Draw:
    """Seed, way, shot and queries of the test episodes that a result states."""
    stated = run.conditions
    keys = ("episodes_seed", "way", "shot", "queries_a_class")
    return Draw(*(stated[key] for key in keys))


def episode_faults(predictions: Predictions, draw: Draw, file: object) -> Iterator[FaultError]:
    """Compare the episodes of some predictions with those that a seed gives.

    Args:
        predictions: Predictions with their episodes.
        draw: Seed, way, shot and queries that the result states.
        file: File of the predictions, for messages.

    Yields:
        The first difference.
    """
    episodes, way, shot = predictions.support.shape
    if (way, way * draw.queries, shot) != (draw.way, predictions.labels.shape[1], draw.shot):
        expected = f"{draw.way}-way {draw.shot}-shot with {draw.queries} queries per class"
        found = f"{way}-way {shot}-shot with {predictions.labels.shape[1] / way:g}"
        yield FaultError(file, "support, query", f"{expected}, as in {RESULT}", found)
        return
    again = drawn_again(predictions, draw)
    for name in EPISODE_ARRAYS:
        own, drawn = getattr(predictions, name), getattr(again, name)
        if not np.array_equal(own, drawn):
            differ = (own != drawn).reshape(episodes, -1).any(axis=1)
            expected = f"the episodes that seed {draw.seed} draws from the test list"
            yield FaultError(
                file, name, expected, f"others, first at episode {int(differ.argmax())}"
            )
            return


def filed_result(run: Run, predictions: Predictions, submitter: str | None) -> dict[str, Any]:
    """Content of `result.json` for one test setting of a run.

    Args:
        run: Run in this setting.
        predictions: Its predictions.
        submitter: Person or lab; None for that of the result, or none.
    """
    conditions, checkpoint = run.conditions, run.result.get("checkpoint")
    names, labels = predictions.class_names, predictions.video_labels.tolist()
    setting = setting_of(run)
    return {
        **run.result,
        **{key: setting[key] for key in ("accuracy", "intervals", "same_scores")},
        "settings": [{**setting, "episodes_file": EPISODES}],
        # Runs of earlier versions do not state the hash of the test list.
        "conditions": {
            "test_list_sha256": list_sha256(names, labels, predictions.video_ids),
            **conditions,
        },
        # The path on the machine of the run is of no use to others.
        "checkpoint": None if checkpoint is None else {**checkpoint, "file": WEIGHTS},
        "submission": {"submitter": submitter or run.submitter or None},
    }


def setting_of(run: Run) -> Mapping[str, Any]:
    """Entry of the result for the way and shot of a run.

    Raises:
        FaultError: There is none with an accuracy.
    """
    _, way, shot = run.setting
    for setting in run.result.get("settings") or ():
        if (setting.get("way"), setting.get("shot")) == (way, shot) and "accuracy" in setting:
            found: Mapping[str, Any] = setting
            return found
    expected = f"an entry for {way}-way {shot}-shot with its accuracy"
    raise FaultError(run.folder / RESULT, "settings", expected, "none")
