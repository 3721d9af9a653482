"""Building a model on the meta device and running one episode: no weights, no data, seconds."""

from dataclasses import replace

import torch

from fsarbench.config.build import (
    USUAL_CLASSES,
    Values,
    build_on_meta,
    build_settings,
    clips_for,
)
from fsarbench.experiments.contract_checks import held_to_contracts
from fsarbench.model import FewShotModel
from fsarbench.profiling.episode_flops import dummy_episode, text_shape
from fsarbench.profiling.parameters import Part, parts


def dry_run(values: Values) -> list[Part]:
    """One row a slot of a checked config, after one episode went through the model.

    Raises:
        UserError: A part refuses its arguments, or does not keep the contract of its slot.
    """
    model = build_on_meta(values)
    run_episode(model, values)
    return parts(model)


def run_episode(model: FewShotModel, values: Values) -> None:
    """Run one episode on the meta device, without data or weights.

    Raises:
        UserError: A component breaks the contract of its slot, or an exception left it.
    """
    settings = build_settings(values)
    clips = clips_for(settings.clips, model.backbone)
    # Another number of queries than of classes, so that a part that mixes them up is found.
    episodes = replace(settings.episodes, queries=settings.episodes.queries + 1)
    blank = dummy_episode(model.backbone, clips, episodes, text=None)
    # Without text features in the episode the text encoder is run as well.
    names = tuple(f"class {i}" for i in range(settings.episodes.way))
    text = text_shape(model)
    bank = None if text is None else torch.empty(USUAL_CLASSES, *text, device="meta")
    episode = replace(blank, names=names, bank=bank)
    with held_to_contracts(model), torch.device("meta"):
        outcome = model.train()(episode)
        model.loss(outcome, episode)
        model.eval().scores(outcome)
