"""The accuracy of each kind of test episodes, with its intervals."""

from dataclasses import asdict
from typing import Any

from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.results.predictions import answers_of, episodes_file, intervals
from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.video import Split


def accuracies(evaluation: Evaluation, split: Split, confidence: float) -> dict[str, Any]:
    """The mean accuracy with its interval over episodes, and its other intervals by name."""
    found = intervals(answers_of(evaluation, split), confidence)
    return {
        "accuracy": _plain(mean_interval(evaluation.accuracies, confidence)),
        "intervals": {name: _plain(interval) for name, interval in found.items()},
        "same_scores": evaluation.same_scores,
    }


def setting(
    evaluation: Evaluation, own: EpisodeSettings, found: dict[str, Any], operations: int
) -> dict[str, Any]:
    """One entry of the list `settings`.

    Args:
        evaluation: Of this kind of episodes.
        own: The config's own kind.
        found: Its `accuracies`.
        operations: Of one episode of this kind.
    """
    task = evaluation.task
    return {
        "way": task.way,
        "shot": task.shot,
        "queries_a_class": task.queries,
        **found,
        "gflops_episode": operations / 1e9,
        "episodes_file": episodes_file(task, own),
    }


def _plain(interval: Interval) -> dict[str, Any]:
    # One episode alone has no interval; JSON has no NaN.
    return {key: None if value != value else value for key, value in asdict(interval).items()}
