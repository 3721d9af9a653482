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

# Videos of one call: they do not fit the memory of a GPU all at once.
CALL = 256


@dataclass(frozen=True)
class PerVideoFeatures:
    """By video index; rows of videos that no episode needs are 0.

    Attributes:
        query: What a query is matched as; None where that is not a matter of the query alone.
        classes: The prototypes of a class that has this one support video; None where episodes
            have more of them, or the above is None.
    """

    query: Float[Tensor, "V T D"] | None = None
    classes: Float[Tensor, "V P T D"] | None = None


NOTHING = PerVideoFeatures()


def compute_per_video(
    model: FewShotModel,
    features: Features,
    plans: Sequence[EpisodeArrays],
    labels: np.ndarray,
    text: Float[Tensor, "M E"] | None,
) -> PerVideoFeatures:
    """Does once what the episodes of some plans would do again and again.

    Args:
        model: In evaluation mode.
        features: Of every video that the plans use.
        plans: The episodes.
        labels: The class of each video of the split.
        text: The text features of the split's classes.
    """
    builder = model.prototypes
    if not isinstance(builder, PerVideoPrototypeBuilder) or model.matcher is None:
        return NOTHING
    device = features.query.device
    queries = _used([plan.query for plan in plans], device)
    alone = _used([plan.support for plan in plans if plan.support.shape[2] == 1], device)
    classes = torch.from_numpy(labels).to(device)

    def prototypes(videos: Tensor) -> Tensor:
        names = None if text is None else text[classes[videos]]
        return builder.of_classes(features.support[videos][:, None], names)

    return PerVideoFeatures(
        _by_video(lambda videos: builder.of_queries(features.query[videos]), queries, len(labels)),
        _by_video(prototypes, alone, len(labels)) if len(alone) else None,
    )


class Task(NamedTuple):
    """One episode on features, or many of them, with one axis more in front.

    Attributes:
        support: Support features.
        query: Query features.
        text: The text features of the classes.
        matched: What the queries are matched as; None for nothing prepared.
        prototypes: Of the classes; None where they are to be built.
    """

    support: Float[Tensor, "*E N K T D"]
    query: Float[Tensor, "*E Q T D"]
    text: Float[Tensor, "*E N W"] | None
    matched: Float[Tensor, "*E Q T D"] | None
    prototypes: Float[Tensor, "*E N P T D"] | None


def compare(model: FewShotModel, task: Task) -> Outcome:
    """`FewShotModel.compare` of one episode, with what is there already."""
    builder, matcher = model.prototypes, model.matcher
    if task.matched is None or matcher is None or not isinstance(builder, PerVideoPrototypeBuilder):
        return model.compare(task.support, task.query, task.text)
    built = task.prototypes
    if built is None:
        built = builder.of_classes(task.support, task.text)
    return Outcome(matcher(task.matched, built[None]), task.support, task.query, task.text)


def _by_video(run: Callable[[Tensor], Tensor], videos: Tensor, count: int) -> Tensor:
    made = torch.cat([run(part) for part in videos.split(CALL)])
    kept = made.new_zeros(count, *made.shape[1:])
    kept[videos] = made
    return kept


def _used(videos: Sequence[np.ndarray], device: torch.device) -> Tensor:
    flat = [indices.reshape(-1) for indices in videos]
    return torch.from_numpy(np.unique(np.concatenate(flat or [np.empty(0, np.int64)]))).to(device)


def match_episodes(
    model: FewShotModel,
    features: Features,
    plan: EpisodeArrays,
    text: Float[Tensor, "M E"] | None,
    chunk: int,
    bar: ProgressBar,
    prepared: PerVideoFeatures = NOTHING,
) -> Float[Tensor, "episodes Q N"]:
    """The scores of all episodes of a plan.

    Args:
        model: In evaluation mode.
        features: Of every video that the plan uses.
        plan: The episodes.
        text: The text features of the split's classes.
        chunk: Episodes of one call; 1 runs them one by one, without `torch.vmap`.
        bar: Advances by episodes.
        prepared: What was made of the features before.
    """
    device = features.query.device
    support, query, classes = (
        torch.from_numpy(index).to(device) for index in (plan.support, plan.query, plan.classes)
    )
    one_shot = prepared.classes is not None and support.shape[2] == 1
    scores, starts = {}, range(0, len(plan), chunk)
    for start in distributed.share(starts):
        part = slice(start, start + chunk)
        task = Task(
            support=features.support[support[part]],
            query=features.query[query[part]],
            text=_of(text, classes[part]),
            matched=_of(prepared.query, query[part]),
            prototypes=_of(prepared.classes, support[part, :, 0]) if one_shot else None,
        )
        scores[start] = _scores(model, task)
        bar.advance(len(scores[start]))
    found = distributed.gather(scores)
    return torch.cat([found[start] for start in starts])


def _scores(model: FewShotModel, tasks: Task) -> Float[Tensor, "episodes Q N"]:
    def one(task: Task) -> Tensor:
        return model.scores(compare(model, task))

    if len(tasks.query) == 1:
        alone = (None if axis is None else axis[0] for axis in tasks)
        return one(Task(*alone))[None]  # type: ignore[arg-type]
    dims = Task(*(None if axis is None else 0 for axis in tasks))  # type: ignore[arg-type]
    return torch.vmap(one, in_dims=(dims,))(tasks)


def _of(rows: Shaped[Tensor, "V ..."] | None, index: Tensor) -> Shaped[Tensor, "..."] | None:
    return None if rows is None else rows[index]
