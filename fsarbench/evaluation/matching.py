"""Prototypes and matching of many episodes at once, on cached features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.utils._pytree import tree_map_only

from fsarbench.episode import FRAMES, BranchOutcome, Encoding, Outcome, encoding_of
from fsarbench.evaluation.episode_arrays import EpisodeArrays
from fsarbench.evaluation.feature_cache import Features
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.model import FewShotModel, Matching, fuse, match_branch
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.runtime import distributed
from fsarbench.runtime.progress import ProgressBar

# Videos per call: all videos at once would not fit into GPU memory.
CALL = 256


@dataclass(frozen=True)
class PerVideoFeatures:
    """Prototype-builder outputs that depend on one video only, computed once for all episodes.

    Both are by branch; rows are video indices, and rows of videos that no episode uses are 0.

    Attributes:
        query: Query features passed to the matcher; absent if they depend on more than the query.
        classes: Prototypes of a class with this single support video; absent if no episode is
            1-shot or the branch has no entry in `query`.
    """

    query: Mapping[str, Float[Tensor, "V S F"]] = field(default_factory=dict)
    classes: Mapping[str, Float[Tensor, "V P S F"]] = field(default_factory=dict)


NOTHING = PerVideoFeatures()


def compute_per_video(
    model: FewShotModel,
    features: Features,
    drawn: Sequence[EpisodeArrays],
    labels: np.ndarray,
    text: Float[Tensor, "A M E"] | None,
) -> PerVideoFeatures:
    """Compute the prototype-builder outputs that all drawn episodes share.

    Args:
        model: In evaluation mode.
        features: Features of every video in the drawn episodes.
        drawn: Drawn episodes of each way/shot setting.
        labels: Class index of each video of the split.
        text: Text features of the split's classes.
    """
    support, query = encoding_of(features.support), encoding_of(features.query)
    device = query.frames.device
    queries = _unique_videos([arrays.query for arrays in drawn], device)
    one_shot_videos = _unique_videos(
        [arrays.support for arrays in drawn if arrays.support.shape[2] == 1], device
    )
    classes = torch.from_numpy(labels).to(device)
    rows: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
    for name, matching in model.matchings().items():
        builder = matching.prototypes
        if not isinstance(builder, PerVideoPrototypeBuilder) or matching.matcher is None:
            continue

        own = _OneBranch(builder, support.of(name), query.of(name), text, classes)
        rows[0][name] = _by_video(own.query_features, queries, len(labels))
        if len(one_shot_videos):
            rows[1][name] = _by_video(own.prototypes, one_shot_videos, len(labels))
    return PerVideoFeatures(*rows)


class _OneBranch(NamedTuple):
    """Prototype builder of a branch, with the features of all videos and their classes."""

    builder: PerVideoPrototypeBuilder
    support: Tensor
    query: Tensor
    text: Tensor | None
    classes: Tensor

    def query_features(self, videos: Tensor) -> Tensor:
        return self.builder.query_features(self.query[videos])

    def prototypes(self, videos: Tensor) -> Tensor:
        text = None if self.text is None else self.text[self.classes[videos]]
        return self.builder.class_prototypes(self.support[videos][:, None], text)


class Task(NamedTuple):
    """Features of one episode, or of a batch of episodes with a leading axis.

    Attributes:
        support: Support features by name, "N K S D".
        query: Query features by name, "Q S D".
        text: Text features of the classes.
        matched: Precomputed query features for the matcher by branch, "Q S F".
        prototypes: Precomputed class prototypes by branch, "N P S F"; absent if they are to be
            built.
        scored: Fields of the `BranchOutcome` by branch; absent if the branch is to be matched.
    """

    support: Mapping[str, Float[Tensor, "..."]]
    query: Mapping[str, Float[Tensor, "..."]]
    text: Float[Tensor, "*E N M W"] | None
    matched: Mapping[str, Float[Tensor, "..."]]
    prototypes: Mapping[str, Float[Tensor, "..."]]
    scored: Mapping[str, Mapping[str, Any]] = {}


def match(model: FewShotModel, task: Task) -> Outcome:
    """`FewShotModel.match` of one episode, reusing precomputed features and prototypes."""
    support, query = encoding_of(task.support), encoding_of(task.query)
    matchings = model.matchings()
    outcomes = {
        name: _match_branch(name, matching, support, query, task)
        for name, matching in matchings.items()
    }
    return fuse(outcomes, matchings, support, query, task.text)


def _match_branch(
    name: str, matching: Matching, support: Encoding, query: Encoding, task: Task
) -> BranchOutcome:
    builder, matcher = matching.prototypes, matching.matcher
    if name in task.scored:
        return BranchOutcome(support=support.of(name), query=query.of(name), **task.scored[name])
    if name not in task.matched or matcher is None:
        return match_branch(name, matching, support, query, task.text)
    assert isinstance(builder, PerVideoPrototypeBuilder)
    built = task.prototypes.get(name)
    if built is None:
        built = builder.class_prototypes(support.of(name), task.text)
    matched = task.matched[name]
    logits = matcher(matched, built[None])
    return BranchOutcome(logits, support.of(name), query.of(name), built[None], matched)


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
    text: Float[Tensor, "A M E"] | None,
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
    device = features.query[FRAMES].device
    support, query, classes = (
        torch.from_numpy(index).to(device)
        for index in (arrays.support, arrays.query, arrays.classes)
    )
    built = per_video.classes if support.shape[2] == 1 else {}
    scores, starts = {}, range(0, len(arrays), chunk)
    for start in distributed.share(starts):
        episodes = slice(start, start + chunk)
        task = Task(
            support=_rows_at(features.support, support[episodes]),
            query=_rows_at(features.query, query[episodes]),
            text=None if text is None else text[classes[episodes]],
            matched=_rows_at(per_video.query, query[episodes]),
            prototypes=_rows_at(built, support[episodes, :, 0]),
        )
        scores[start] = _scores(model, task)
        bar.advance(len(scores[start]))
    gathered = distributed.gather(scores)
    return torch.cat([gathered[start] for start in starts])


def _scores(model: FewShotModel, tasks: Task) -> Float[Tensor, "episodes Q N"]:
    def one(task: Task) -> Tensor:
        return model.scores(match(model, task))

    if len(tasks.query[FRAMES]) == 1:
        return one(tree_map_only(Tensor, lambda batch: batch[0], tasks))[None]
    tasks = _with_prototypes(model, tasks)
    tasks = tasks._replace(scored=_score_together(model, tasks))
    dims = tree_map_only(Tensor, lambda batch: 0, tasks)
    return torch.vmap(one, in_dims=(dims,))(tasks)


def _with_prototypes(model: FewShotModel, tasks: Task) -> Task:
    """Build the prototypes of several shots in one call: no class depends on another."""
    support, built = encoding_of(tasks.support), dict(tasks.prototypes)
    text = None if tasks.text is None else tasks.text.flatten(0, 1)
    for name, matching in model.matchings().items():
        builder = matching.prototypes
        if isinstance(builder, PerVideoPrototypeBuilder) and name not in built:
            videos = support.of(name)
            classes = builder.class_prototypes(videos.flatten(0, 1), text)
            built[name] = classes.unflatten(0, videos.shape[:2])
    return tasks._replace(prototypes=built)


def _score_together(model: FewShotModel, tasks: Task) -> dict[str, dict[str, Any]]:
    """Logits of the branches whose matcher scores many episodes in one call."""
    support, query = encoding_of(tasks.support), encoding_of(tasks.query)
    scored = {}
    for name, matching in model.matchings().items():
        builder, matcher = matching.prototypes, matching.matcher
        if builder is None or not isinstance(matcher, FrameCosineMatcher):
            continue
        if type(matcher).forward is not FrameCosineMatcher.forward:
            continue  # A subclass with a forward of its own is matched by it.
        if name in tasks.matched:
            prototypes, matched = tasks.prototypes[name][:, None], tasks.matched[name]
            others: list[Mapping[str, Tensor]] = []
        else:
            inputs = (support.of(name), query.of(name), tasks.text)
            axes = (0, 0, None if tasks.text is None else 0)
            prototypes, matched, *others = torch.vmap(builder, in_dims=axes)(*inputs)
        scored[name] = {
            "logits": matcher.score_episodes(matched, prototypes),
            "prototypes": prototypes,
            "matched": matched,
            "auxiliary": others[0] if others else {},
        }
    return scored


def _rows_at(
    rows: Mapping[str, Shaped[Tensor, "V ..."]], index: Tensor
) -> dict[str, Shaped[Tensor, "..."]]:
    return {name: values[index] for name, values in rows.items()}
