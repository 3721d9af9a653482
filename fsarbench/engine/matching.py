"""Prototypes and matching of many episodes at once, on cached features."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.engine import ranks
from fsarbench.engine.features import Features
from fsarbench.engine.plan import Plan
from fsarbench.model import FewShotModel
from fsarbench.progress import Bar


def match_episodes(
    model: FewShotModel,
    features: Features,
    plan: Plan,
    text: Float[Tensor, "M E"] | None,
    chunk: int,
    bar: Bar,
) -> Float[Tensor, "episodes Q N"]:
    """The scores of all episodes of a plan.

    Args:
        model: In evaluation mode.
        features: Of every video that the plan uses.
        plan: The episodes.
        text: The text features of the split's classes.
        chunk: Episodes of one call; 1 runs them one by one, without `torch.vmap`.
        bar: Advances by episodes.
    """
    device = features.query.device
    support, query, classes = (
        torch.from_numpy(index).to(device) for index in (plan.support, plan.query, plan.classes)
    )
    scores, starts = {}, range(0, len(plan), chunk)
    for start in ranks.share(starts):
        part = slice(start, start + chunk)
        names = None if text is None else text[classes[part]]
        scores[start] = _scores(
            model, features.support[support[part]], features.query[query[part]], names
        )
        bar.advance(len(scores[start]))
    found = ranks.gather(scores)
    return torch.cat([found[start] for start in starts])


def _scores(
    model: FewShotModel,
    support: Float[Tensor, "episodes N K T D"],
    query: Float[Tensor, "episodes Q T D"],
    text: Float[Tensor, "episodes N W"] | None,
) -> Float[Tensor, "episodes Q N"]:
    def one(support: Tensor, query: Tensor, text: Tensor | None) -> Tensor:
        return model.scores(model.compare(support, query, text))

    if len(query) == 1:
        return one(support[0], query[0], None if text is None else text[0])[None]
    dims = (0, 0, None if text is None else 0)
    return torch.vmap(one, in_dims=dims)(support, query, text)
