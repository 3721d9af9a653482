"""Prototypes and matching of many episodes at once, on cached features."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fsarbench.engine.plan import Plan
from fsarbench.engine.prepared import NOTHING, Prepared, Task, compare
from fsarbench.evaluation.feature_cache import Features
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.progress import Bar


def match_episodes(
    model: FewShotModel,
    features: Features,
    plan: Plan,
    text: Float[Tensor, "M E"] | None,
    chunk: int,
    bar: Bar,
    prepared: Prepared = NOTHING,
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
