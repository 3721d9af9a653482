"""Runs that differ in their seed alone as one row: cost, accuracy, intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from fsarbench.errors import UserError
from fsarbench.results.config_diff import differences
from fsarbench.results.finished_runs import Run
from fsarbench.statistics.intervals import Interval, mean_interval, seed_interval
from fsarbench.statistics.video_intervals import DrawnVideos, video_interval


@dataclass(frozen=True)
class Row:
    """All seeds of one method in one setting.

    Attributes:
        runs: One a seed, at least one.
    """

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """Stands for the others in all but seed and accuracy."""
        return self.runs[0]

    @property
    def name(self) -> str:
        """What the row is called."""
        return self.first.name

    @property
    def accuracies(self) -> Float64[np.ndarray, "S E"]:
        """A row a seed, a column an episode."""
        return np.stack([run.accuracies for run in self.runs])

    @property
    def mean(self) -> float:
        """The mean accuracy over seeds and episodes, 0 to 1."""
        return float(self.accuracies.mean())

    @property
    def drawn(self) -> DrawnVideos | None:
        """The videos of the episodes; None where a run did not keep them."""
        kept = [run.predictions for run in self.runs]
        return None if None in kept or kept[0] is None else kept[0].drawn

    def same_episodes(self, other: "Row") -> bool:
        """Whether all runs of both kept their episodes and they are the same."""
        first = self.first.predictions
        kept = [run.predictions for row in (self, other) for run in row.runs]
        return first is not None and all(a is not None and a.same_episodes(first) for a in kept)

    @property
    def backbone(self) -> str:
        """The trunk's model and weights, or its component."""
        model, weights = (self.first.value(f"backbone.{key}") for key in ("model", "pretrained"))
        return f"{model} ({weights})" if model and weights else model or self.part("backbone")

    @property
    def tuned(self) -> str:
        """The components whose parameters training changed."""
        slots = self.first.result["parameters"]["slots"]
        changed = {slot["slot"]: slot["component"] for slot in slots if slot["tuned"]}
        if self.first.result["training"]["skipped"] or not changed:
            return "nothing"
        if "backbone" in changed:
            # Which parameters of the trunk are tuned is what the adapter says.
            changed = {"adapter": self.part("adapter"), **changed}
            del changed["backbone"]
        return ", ".join(changed.values())

    @property
    def trained(self) -> bool:
        """Whether another seed would give another model: trained, or with random weights."""
        tuned = self.first.result["parameters"]["tuned"]
        return bool(tuned) or self.first.config.get("backbone.pretrained") == "None"

    def part(self, slot: str) -> str:
        """The component in a slot; empty where the config has none."""
        slots = self.first.result["parameters"]["slots"]
        return next((part["component"] for part in slots if part["slot"] == slot), "")

    @property
    def memory(self) -> tuple[int, str]:
        """The largest peak of all seeds in bytes, and what it is of: the GPU where there is one."""
        kinds = {"gpu_peak_bytes": "GPU", "process_peak_bytes": "process"}
        for key, kind in kinds.items():
            found = [run.result["memory"][key] for run in self.runs]
            if all(found):
                return max(found), kind
        return 0, "unknown"

    def intervals(self, confidence: float) -> dict[str, Interval]:
        """The intervals that the runs allow, by what they count as the sample."""
        averaged = self.accuracies.mean(axis=0)
        drawn, found = self.drawn, {}
        if drawn is not None:
            found["videos"] = video_interval(averaged, drawn, confidence)
        if len(self.runs) > 1:
            found["seeds"] = seed_interval(self.accuracies.mean(axis=1), confidence)
        return {**found, "episodes": mean_interval(averaged, confidence)}


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """One row a name and setting, in the order of their first run.

    Raises:
        UserError: Runs of one name differ in more than their seed, or one comes twice.
    """
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.name, *run.setting), []).append(run)
    for group in groups.values():
        for run in group[1:]:
            check_repetition(group[0], run)
        check_seeds(group)
    return [Row(tuple(group)) for group in groups.values()]


def check_repetition(first: Run, other: Run) -> None:
    """Refuses to average runs that are not the same but for their seed.

    Raises:
        UserError: They differ.
    """
    found = {**differences(first.config, other.config), **_conditions(first, other)}
    if found:
        key, (ours, theirs) = next(iter(found.items()))
        more = f", and {len(found) - 1} keys more" if len(found) > 1 else ""
        raise UserError(
            f"Two runs are called '{first.name}' but differ in more than their seed: {key} is "
            f"{ours or 'not set'} in {first.folder} and {theirs or 'not set'} in {other.folder}"
            f"{more}. Give one of them another name (`fsarbench run --name`), or leave it out."
        )


def check_seeds(group: Sequence[Run]) -> None:
    """Refuses a seed that comes twice: it would count as a repetition.

    Raises:
        UserError: One does.
    """
    places: dict[int, Run] = {}
    for run in group:
        seed = run.conditions["seed"]
        if seed in places:
            raise UserError(
                f"{run.name} with seed {seed} comes more than once: {places[seed].folder} and "
                f"{run.folder}. Name one of them."
            )
        places[seed] = run


def _conditions(first: Run, other: Run) -> Mapping[str, tuple[str, str]]:
    pairs = {
        key: (str(first.conditions[key]), str(other.conditions[key]))
        for key in ("data_fingerprint", "episodes", "episodes_seed", "selection")
    }
    if (
        first.predictions
        and other.predictions
        and not first.predictions.same_episodes(other.predictions)
    ):
        pairs["episodes.npz"] = ("one list of episodes", "another")
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
