"""Building a model on the meta device and running one episode: no weights, no data, seconds."""

from dataclasses import dataclass

import torch
from jaxtyping import TypeCheckError

from fsarbench.assembly import Values, build_on_meta, build_settings
from fsarbench.episode import Episode
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel, count


@dataclass(frozen=True)
class Row:
    """What one slot is made of.

    Attributes:
        slot: The slot's name.
        component: The part's name.
        tuned: Parameters that training changes.
        total: All its parameters.
    """

    slot: str
    component: str
    tuned: int
    total: int


def dry_run(values: Values) -> list[Row]:
    """One row a slot of a checked config, after one episode went through the model.

    Raises:
        UserError: A part refuses its arguments, or does not keep the contract of its slot.
    """
    model = build_on_meta(values)
    run_episode(model, values)
    return rows(model, values)


def run_episode(model: FewShotModel, values: Values) -> None:
    """Training losses and test scores of one episode of nothing."""
    episode = blank_episode(model, values)
    try:
        outcome = model.train()(episode)
        model.loss(outcome, episode)
        model.eval().scores(outcome)
    except TypeCheckError as error:
        raise UserError(f"A part breaks the contract of its slot. {error}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(
            f"The parts do not fit together: {type(error).__name__}: {error}"
        ) from error


def blank_episode(model: FewShotModel, values: Values) -> Episode:
    """An episode of the config's way, shot and queries on the meta device."""
    settings = build_settings(values)
    size = settings.clips.size or model.backbone.image_size
    task, frames = settings.episodes, (settings.clips.frames, 3, size, size)
    queries = task.way * task.queries
    with torch.device("meta"):
        return Episode(
            support=torch.empty(task.way, task.shot, *frames, dtype=torch.uint8),
            query=torch.empty(queries, *frames, dtype=torch.uint8),
            labels=torch.empty(queries, dtype=torch.int64),
            classes=torch.empty(task.way, dtype=torch.int64),
            names=tuple(f"class {i}" for i in range(task.way)),
        )


def rows(model: FewShotModel, values: Values) -> list[Row]:
    """The parameters by slot; an adapter's are counted apart from its backbone's."""
    found = []
    adapter = values.get("adapter") or {"type": "Frozen"}
    inside = (getattr(model.backbone, name, None) for name in ("adapters", "entry"))
    modules = [module for module in inside if module is not None]
    added = [(count(m, tuned=True), count(m)) for m in modules]
    tuned, total = (sum(column) for column in zip(*added, strict=True)) if added else (0, 0)
    for slot in (
        "backbone",
        "adapter",
        "text_encoder",
        "prototypes",
        "matcher",
        "losses",
        "readout",
    ):
        part = getattr(model, slot, None)
        if slot == "adapter":
            found.append(Row(slot, adapter["type"], tuned, total))
        elif slot == "backbone":
            name = type(part).__name__
            found.append(Row(slot, name, count(part, tuned=True) - tuned, count(part) - total))
        elif slot == "losses":
            names = ", ".join(type(loss).__name__ for loss in model.losses.values()) or "none"
            found.append(Row(slot, names, count(part, tuned=True), count(part)))
        elif part is not None:
            found.append(Row(slot, type(part).__name__, count(part, tuned=True), count(part)))
    return found
