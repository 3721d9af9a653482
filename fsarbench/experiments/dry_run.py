"""Run of one episode on the meta device, which needs no data, no weights and only seconds."""

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
from fsarbench.experiments.contract_checks import checked_components
from fsarbench.model import FewShotModel
from fsarbench.profiling.episode_flops import dummy_episode, text_shape
from fsarbench.profiling.parameters import SlotParameters, slot_parameters


def dry_run(values: Values) -> list[SlotParameters]:
    """Run one episode of a checked config on the meta device; return the parameter counts by slot.

    Raises:
        UserError: A component rejects its arguments or violates the interface of its slot.
    """
    model = build_on_meta(values)
    run_episode(model, values)
    return slot_parameters(model)


def check_corpus(values: Values) -> str:
    """Check that the text corpus has a sentence for every class of the data set.

    Returns:
        Remark that the classes could not be checked because the data is missing; may be empty.

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
        return f"The corpus was not checked, because the data is missing: {error}"
    require_sentences(encoder, splits)
    return ""


def run_episode(model: FewShotModel, values: Values) -> None:
    """Run one episode on the meta device, without data or weights.

    Raises:
        UserError: A component violates the interface of its slot or raises an exception.
    """
    settings = build_settings(values)
    clips = clips_for(settings.clips, model.backbone)
    # The numbers of queries and classes differ, so that a component that confuses them fails.
    episodes = replace(settings.episodes, queries=settings.episodes.queries + 1)
    dummy = dummy_episode(model.backbone, clips, episodes, text=None)
    # The episode has no text features, so that the text encoder runs.
    names = tuple(f"class {i}" for i in range(settings.episodes.way))
    text = text_shape(model)
    bank = None if text is None else torch.empty(USUAL_CLASSES, *text, device="meta")
    episode = replace(dummy, names=names, bank=bank)
    with checked_components(model), torch.device("meta"):
        outcome = model.train()(episode)
        model.loss(outcome, episode)
        model.eval().scores(outcome)
