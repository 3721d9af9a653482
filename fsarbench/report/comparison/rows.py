"""Rows of the comparison: runs that differ only in their seed, with cost, accuracy, intervals."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from fsarbench.results.finished_runs import Run
from fsarbench.results.repetitions import check_repetitions, repetitions
from fsarbench.statistics.intervals import Interval, mean_interval, seed_interval
from fsarbench.statistics.video_intervals import EpisodeVideos, video_interval


@dataclass(frozen=True)
class Row:
    """All runs of one method in one setting.

    Attributes:
        runs: One run per training seed, at least one.
        label: Name in tables instead of that of the runs; empty for the name of the runs.
        shared_name: Whether another submitter has a method of the same name.
    """

    runs: tuple[Run, ...]
    label: str = ""
    shared_name: bool = False

    @property
    def first(self) -> Run:
        """First run; the other runs differ from it only in seed and accuracy."""
        return self.runs[0]

    @property
    def name(self) -> str:
        """Name of the row, with the submitter if others submitted a method of this name."""
        if self.label or not self.shared_name:
            return self.label or self.first.name
        return f"{self.first.name} ({self.submitter or 'no submitter'})"

    @property
    def submitter(self) -> str:
        """Person or lab that submitted the results; empty for own runs."""
        return self.first.submitter

    @property
    def accuracies(self) -> Float64[np.ndarray, "S E"]:
        """Accuracy per seed and episode, 0 to 1."""
        return np.stack([run.accuracies for run in self.runs])

    @property
    def mean(self) -> float:
        """Mean accuracy over seeds and episodes, 0 to 1."""
        return float(self.accuracies.mean())

    @property
    def episode_videos(self) -> EpisodeVideos | None:
        """Videos of the episodes; None if a run has no `episodes.npz`."""
        predictions = [run.predictions for run in self.runs]
        if None in predictions or predictions[0] is None:
            return None
        return predictions[0].episode_videos

    def same_episodes(self, other: "Row") -> bool:
        """Whether all runs of both rows have an `episodes.npz` with the same episodes."""
        first = self.first.predictions
        predictions = [run.predictions for row in (self, other) for run in row.runs]
        return first is not None and all(
            p is not None and p.same_episodes(first) for p in predictions
        )

    @property
    def backbone(self) -> str:
        """Model and weights of the backbone; for given features, the backbone that computed them.

        Without a model name, the name of the component.
        """
        origin = (self.first.conditions.get("features") or {}).get("origin") or {}
        if origin.get("backbone"):
            return f"{origin['backbone']}, features given"
        model, weights = (self.first.value(f"backbone.{key}") for key in ("model", "pretrained"))
        if model and weights:
            return f"{model} ({weights})"
        return model or weights or self.part("backbone")

    @property
    def trainable(self) -> str:
        """Components with trainable parameters."""
        slots = self.first.result["parameters"]["slots"]
        changed = {slot["slot"]: slot["component"] for slot in slots if slot["tuned"]}
        if self.first.result["training"]["skipped"] or not changed:
            return "nothing"
        if "backbone" in changed:
            # The adapter determines which parameters of the backbone are trainable.
            changed = {"adapter": self.part("adapter"), **changed}
            del changed["backbone"]
        return ", ".join(changed.values())

    @property
    def trained(self) -> bool:
        """Whether the model depends on the seed: it was trained, or has random weights."""
        trainable = self.first.result["parameters"]["tuned"]
        return bool(trainable) or self.first.config.get("backbone.pretrained") == "None"

    def part(self, slot: str) -> str:
        """Return the component in a slot; empty if the config has none."""
        slots = self.first.result["parameters"]["slots"]
        return next((part["component"] for part in slots if part["slot"] == slot), "")

    @property
    def memory(self) -> tuple[int, str]:
        """Largest peak memory over all seeds in bytes, and its owner: the GPU if there is one."""
        owners = {"gpu_peak_bytes": "GPU", "process_peak_bytes": "process"}
        for key, owner in owners.items():
            peaks = [run.result["memory"][key] for run in self.runs]
            if all(peaks):
                return max(peaks), owner
        return 0, "unknown"

    def intervals(self, confidence: float) -> dict[str, Interval]:
        """Return the available confidence intervals by sampling unit."""
        averaged = self.accuracies.mean(axis=0)
        videos, intervals = self.episode_videos, {}
        if videos is not None:
            intervals["videos"] = video_interval(averaged, videos, confidence)
        if len(self.runs) > 1:
            intervals["seeds"] = seed_interval(self.accuracies.mean(axis=1), confidence)
        return {**intervals, "episodes": mean_interval(averaged, confidence)}


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Group runs into one row per name, submitter and setting, in the order of their first run.

    Raises:
        UserError: Runs of the same name differ in more than their seed, or a seed occurs twice.
    """
    groups = repetitions(runs)
    for group in groups:
        check_repetitions(group)
    names = Counter(name for name, _ in {(run.name, run.submitter) for run in runs})
    return [Row(tuple(group), shared_name=names[group[0].name] > 1) for group in groups]
