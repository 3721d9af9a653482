"""Building a model on the meta device and running one episode: no weights, no data, seconds."""

from dataclasses import replace

import torch
from jaxtyping import TypeCheckError

from fsarbench.assembly import USUAL_CLASSES, Values, build_on_meta, build_settings
from fsarbench.engine.parts import Part, parts
from fsarbench.engine.profile import blank_episode
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel


def dry_run(values: Values) -> list[Part]:
    """One row a slot of a checked config, after one episode went through the model.

    Raises:
        UserError: A part refuses its arguments, or does not keep the contract of its slot.
    """
    model = build_on_meta(values)
    run_episode(model, values)
    return parts(model)


def run_episode(model: FewShotModel, values: Values) -> None:
    """Training losses and test scores of one episode of nothing.

    Raises:
        UserError: A part does not keep the contract of its slot.
    """
    settings = build_settings(values)
    clips = settings.clips.resolved(model.backbone.image_size)
    # Another number of queries than of classes, so that a part that mixes them up is found.
    episodes = replace(settings.episodes, queries=settings.episodes.queries + 1)
    blank = blank_episode(clips, episodes, text_width=None)
    # Without text features in the episode the text encoder is run as well.
    names = tuple(f"class {i}" for i in range(settings.episodes.way))
    encoder = model.text_encoder
    width = None if encoder is None else encoder.dim
    bank = None if width is None else torch.empty(USUAL_CLASSES, width, device="meta")
    episode = replace(blank, names=names, bank=bank)
    try:
        with torch.device("meta"):
            outcome = model.train()(episode)
            model.loss(outcome, episode)
            model.eval().scores(outcome)
    except TypeCheckError as error:
        raise UserError(f"A part breaks the contract of its slot. {error}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(
            f"The parts do not fit together: {type(error).__name__}: {error}"
        ) from error
