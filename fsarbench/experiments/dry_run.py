"""Building a model on the meta device and running one episode: no weights, no data, seconds."""

from dataclasses import replace

import torch

from fsarbench.config.build import (
    USUAL_CLASSES,
    Values,
    build_component,
    build_dataset,
    build_on_meta,
    build_settings,
    clips_for,
    require_sentences,
)
from fsarbench.errors import UserError
from fsarbench.experiments.contract_checks import held_to_contracts
from fsarbench.model import FewShotModel
from fsarbench.profiling.episode_flops import dummy_episode, text_shape
from fsarbench.profiling.parameters import SlotParameters, slot_parameters


def dry_run(values: Values) -> list[SlotParameters]:
    """Run one episode of a checked config on the meta device; returns one row per slot.

    Raises:
        UserError: A component rejects its arguments or breaks the contract of its slot.
    """
    model = build_on_meta(values)
    run_episode(model, values)
    return slot_parameters(model)


def check_corpus(values: Values) -> str:
    """Require a sentence for every class of the data set; returns a note if its data is missing.

    Raises:
        UserError: The corpus has no sentence for a class of the data set.
    """
    if not (values.get("text_encoder") or {}).get("corpus"):
        return ""
    with torch.device("meta"):
        encoder = build_component("text_encoder", values["text_encoder"])
    try:
        splits = build_dataset(values).splits()
    except UserError as error:
        return f"The classes were not compared with the corpus, since the data is missing: {error}"
    require_sentences(encoder, splits)
    return ""


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
