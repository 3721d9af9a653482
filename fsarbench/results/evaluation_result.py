"""Result of testing a model: accuracy, confidence intervals, and every prediction as a table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from fsarbench.catalogue.published_results import task_name
from fsarbench.errors import UserError, nearest
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.results.predictions import Predictions, intervals, predictions_of
from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.video import Split

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EvaluationResult:
    """Accuracy of a model on test episodes, with the predictions that it comes from.

    Attributes:
        predictions: Episodes, labels and predicted classes of every query.
        scores: Score of every query for every class of its episode.
        confidence: Confidence level of the intervals, between 0 and 1.
        cached: Whether each video was encoded once and matched from cached features.
        seconds: Seconds of decoding, encoding and matching.
    """

    predictions: Predictions
    scores: Float32[np.ndarray, "E Q N"]
    confidence: float
    cached: bool
    seconds: float

    @property
    def accuracy(self) -> float:
        """Mean accuracy over episodes, between 0 and 1."""
        return float(self.predictions.accuracies.mean())

    @property
    def episodes(self) -> int:
        """Number of test episodes."""
        return len(self.predictions.labels)

    def interval(self, over: str = "videos") -> Interval:
        """Confidence interval of the accuracy; `docs/statistics.md` says what each one covers.

        Args:
            over: Unit of the sample: test `videos` (default), test `classes`, `disjoint_episodes`
                (no video twice), or `episodes` (as in most papers; it does not cover the choice of
                the test videos).

        Raises:
            UserError: The unit is unknown.
        """
        if over == "episodes":
            return mean_interval(self.predictions.accuracies, self.confidence)
        by_unit = intervals(self.predictions, self.confidence)
        if over not in by_unit:
            raise UserError(f"No interval over '{over}'.{nearest(over, [*by_unit, 'episodes'])}")
        return by_unit[over]

    def to_pandas(self) -> "pd.DataFrame":
        """One row per query: episode, video, true and predicted class, and whether they agree."""
        import pandas as pd

        predictions = self.predictions
        episodes, queries = predictions.labels.shape
        names, videos = np.array(predictions.class_names), np.array(predictions.video_ids)

        def class_of(index: np.ndarray) -> np.ndarray:
            return names[np.take_along_axis(predictions.classes, index, axis=1)].reshape(-1)

        return pd.DataFrame(
            {
                "episode": np.repeat(np.arange(episodes), queries),
                "query": np.tile(np.arange(queries), episodes),
                "video": videos[predictions.query].reshape(-1),
                "label": class_of(predictions.labels),
                "prediction": class_of(predictions.predictions),
                "correct": (predictions.labels == predictions.predictions).reshape(-1),
            }
        )

    def __repr__(self) -> str:
        return f"EvaluationResult({self})"

    def __str__(self) -> str:
        way, shot = self.predictions.support.shape[1:]
        interval = self.interval("videos")
        return (
            f"{self.accuracy:.2%} ± {100 * interval.half_width:.2f} "
            f"({self.confidence:.0%} interval over test videos), {task_name(way, shot)}, "
            f"{self.episodes:,} episodes"
        )


def result_of(evaluation: Evaluation, split: Split, confidence: float) -> EvaluationResult:
    """Result of an evaluation on a split."""
    return EvaluationResult(
        predictions=predictions_of(evaluation, split),
        scores=evaluation.scores,
        confidence=confidence,
        cached=evaluation.route.cached,
        seconds=evaluation.encode_seconds + evaluation.match_seconds,
    )
