"""Prototypes and matching of many episodes at once, on cached features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fsarbench.episode import Outcome
from fsarbench.evaluation.episode_arrays import EpisodeArrays
from fsarbench.evaluation.feature_cache import Features
from fsarbench.model import FewShotModel
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.runtime import distributed
from fsarbench.runtime.progress import ProgressBar

# Videos per call: all videos at once would not fit into GPU memory.
CALL = 256


@dataclass(frozen=True)
class PerVideoFeatures:
    """Prototype-builder outputs that depend on one video only, computed once for all episodes.

    Rows are video indices; rows of videos that no episode uses are 0.

    Attributes:
        query: Query features passed to the matcher; None if they depend on more than the query.
        classes: Prototypes of a class with this single support video; None if no episode is
            1-shot or `query` is None.
    """

    query: Float[Tensor, "V T D"] | None = None
    classes: Float[Tensor, "V P T D"] | None = None


NOTHING = PerVideoFeatures()


def compute_per_video(
    model: FewShotModel,
    features: Features,
    drawn: Sequence[EpisodeArrays],
    labels: np.ndarray,
    text: Float[Tensor, "M E"] | None,
) -> PerVideoFeatures:
    """Compute the prototype-builder outputs that all drawn episodes share.

    Args:
        model: In evaluation mode.
        features: Features of every video in the drawn episodes.
        drawn: Drawn episodes of each way/shot setting.
        labels: Class index of each video of the split.
        text: Text features of the split's classes.
    """
    builder = model.prototypes
    if not isinstance(builder, PerVideoPrototypeBuilder) or model.matcher is None:
        return NOTHING
    device = features.query.device
    queries = _unique_videos([arrays.query for arrays in drawn], device)
    one_shot_videos = _unique_videos(
        [arrays.support for arrays in drawn if arrays.support.shape[2] == 1], device
    )
    classes = torch.from_numpy(labels).to(device)

    def prototypes(videos: Tensor) -> Tensor:
        names = None if text is None else text[classes[videos]]
        return builder.class_prototypes(features.support[videos][:, None], names)

    return PerVideoFeatures(
        _by_video(
            lambda videos: builder.query_features(features.query[videos]), queries, len(labels)
        ),
        _by_video(prototypes, one_shot_videos, len(labels)) if len(one_shot_videos) else None,
    )


class Task(NamedTuple):
    """Features of one episode, or of a batch of episodes with a leading axis.

    Attributes:
        support: Support features.
        query: Query features.
        text: Text features of the classes.
        matched: Precomputed query features for the matcher; None if there are none.
        prototypes: Precomputed class prototypes; None if they are to be built.
    """

    support: Float[Tensor, "*E N K T D"]
    query: Float[Tensor, "*E Q T D"]
    text: Float[Tensor, "*E N W"] | None
    matched: Float[Tensor, "*E Q T D"] | None
    prototypes: Float[Tensor, "*E N P T D"] | None


def compare(model: FewShotModel, task: Task) -> Outcome:
    """`FewShotModel.match` of one episode, reusing precomputed features and prototypes."""
    builder, matcher = model.prototypes, model.matcher
    if task.matched is None or matcher is None or not isinstance(builder, PerVideoPrototypeBuilder):
        return model.match(task.support, task.query, task.text)
    built = task.prototypes
    if built is None:
        built = builder.class_prototypes(task.support, task.text)
    return Outcome(matcher(task.matched, built[None]), task.support, task.query, task.text)


def _by_video(run: Callable[[Tensor], Tensor], videos: Tensor, count: int) -> Tensor:
    outputs = torch.cat([run(batch) for batch in videos.split(CALL)])
    rows = outputs.new_zeros(count, *outputs.shape[1:])
    rows[videos] = outputs
    return rows


def _unique_videos(videos: Sequence[np.ndarray], device: torch.device) -> Tensor:
    flat = [indices.reshape(-1) for indices in videos]
    return torch.from_numpy(np.unique(np.concatenate(flat or [np.empty(0, np.int64)]))).to(device)


def match_episodes(
    model: FewShotModel,
    features: Features,
    arrays: EpisodeArrays,
    text: Float[Tensor, "M E"] | None,
    chunk: int,
    bar: ProgressBar,
    per_video: PerVideoFeatures = NOTHING,
) -> Float[Tensor, "episodes Q N"]:
    """Class scores of all drawn episodes of one way/shot setting.

    Args:
        model: In evaluation mode.
        features: Features of every video in the episodes.
        arrays: Drawn episodes.
        text: Text features of the split's classes.
        chunk: Episodes per call; 1 runs them one by one, without `torch.vmap`.
        bar: Progress bar in episodes.
        per_video: Prototype-builder outputs computed per video.
    """
    device = features.query.device
    support, query, classes = (
        torch.from_numpy(index).to(device)
        for index in (arrays.support, arrays.query, arrays.classes)
    )
    one_shot = per_video.classes is not None and support.shape[2] == 1
    scores, starts = {}, range(0, len(arrays), chunk)
    for start in distributed.share(starts):
        episodes = slice(start, start + chunk)
        task = Task(
            support=features.support[support[episodes]],
            query=features.query[query[episodes]],
            text=_rows_at(text, classes[episodes]),
            matched=_rows_at(per_video.query, query[episodes]),
            prototypes=_rows_at(per_video.classes, support[episodes, :, 0]) if one_shot else None,
        )
        scores[start] = _scores(model, task)
        bar.advance(len(scores[start]))
    gathered = distributed.gather(scores)
    return torch.cat([gathered[start] for start in starts])


def _scores(model: FewShotModel, tasks: Task) -> Float[Tensor, "episodes Q N"]:
    def one(task: Task) -> Tensor:
        return model.scores(compare(model, task))

    if len(tasks.query) == 1:
        episode = (None if axis is None else axis[0] for axis in tasks)
        return one(Task(*episode))[None]  # type: ignore[arg-type]
    dims = Task(*(None if axis is None else 0 for axis in tasks))  # type: ignore[arg-type]
    return torch.vmap(one, in_dims=(dims,))(tasks)


def _rows_at(rows: Shaped[Tensor, "V ..."] | None, index: Tensor) -> Shaped[Tensor, "..."] | None:
    return None if rows is None else rows[index]
