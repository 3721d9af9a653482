"""The parameters of a model, slot by slot."""

from dataclasses import dataclass

from torch import nn

from fsarbench.model import FewShotModel, count_parameters


@dataclass(frozen=True)
class Part:
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


def parts(model: FewShotModel) -> list[Part]:
    """One entry a slot; the adapters are counted apart from the backbone that holds them."""
    adapter = _adapter(model.backbone)
    backbone = _part("backbone", model.backbone)
    trunk = Part(
        "backbone",
        backbone.component,
        backbone.tuned - adapter.tuned,
        backbone.total - adapter.total,
    )
    rest = [_part(slot, module) for slot, module in model.components().items()]
    losses = ", ".join(type(loss).__name__ for loss in model.losses.values()) or "none"
    tuned, total = count_parameters(model.losses, trainable=True), count_parameters(model.losses)
    return [trunk, adapter, *rest, Part("losses", losses, tuned, total)]


def _part(slot: str, module: nn.Module) -> Part:
    return Part(
        slot,
        type(module).__name__,
        count_parameters(module, trainable=True),
        count_parameters(module),
    )


def _adapter(backbone: nn.Module) -> Part:
    adapters = getattr(backbone, "adapters", nn.ModuleList())
    inside = [adapters, getattr(backbone, "entry", None)]
    # Blocks that a config leaves out carry `Frozen`.
    names = [type(adapter).__name__ for adapter in adapters]
    name = next((name for name in names if name != "Frozen"), "Frozen")
    tuned, total = (sum(count_parameters(m, t) for m in inside) for t in (True, False))
    return Part("adapter", name, tuned, total)
