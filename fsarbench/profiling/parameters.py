"""Parameter counts of a model per slot."""

from dataclasses import dataclass

from torch import nn

from fsarbench.model import FewShotModel, count_parameters


@dataclass(frozen=True)
class SlotParameters:
    """Component of one slot and its parameter counts.

    Attributes:
        slot: Name of the slot.
        component: Class name of the component.
        tuned: Number of trainable parameters.
        total: Number of all parameters.
    """

    slot: str
    component: str
    tuned: int
    total: int


def slot_parameters(model: FewShotModel) -> list[SlotParameters]:
    """Parameter counts of each slot; those of the adapters are not counted in the backbone."""
    adapter = _adapter(model.backbone)
    backbone = _count("backbone", model.backbone)
    trunk = SlotParameters(
        "backbone",
        backbone.component,
        backbone.tuned - adapter.tuned,
        backbone.total - adapter.total,
    )
    rest = [_count(slot, module) for slot, module in model.components().items()]
    losses = ", ".join(type(loss).__name__ for loss in model.losses.values()) or "none"
    tuned, total = count_parameters(model.losses, trainable=True), count_parameters(model.losses)
    return [trunk, adapter, *rest, SlotParameters("losses", losses, tuned, total)]


def _count(slot: str, module: nn.Module) -> SlotParameters:
    return SlotParameters(
        slot,
        type(module).__name__,
        count_parameters(module, trainable=True),
        count_parameters(module),
    )


def _adapter(backbone: nn.Module) -> SlotParameters:
    adapters = getattr(backbone, "adapters", nn.ModuleList())
    modules = [adapters, getattr(backbone, "entry", None)]
    # Blocks that a config excludes from adaptation hold `Frozen`.
    names = [type(adapter).__name__ for adapter in adapters]
    name = next((name for name in names if name != "Frozen"), "Frozen")
    tuned, total = (sum(count_parameters(m, t) for m in modules) for t in (True, False))
    return SlotParameters("adapter", name, tuned, total)
