"""Base class of backbones: a frozen trunk, its normalisation, and its trainable parameters."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.adapters.frozen import Frozen
from fsarbench.interfaces import Adapter, Backbone, TrunkSection


@runtime_checkable
class Trunk(Protocol):
    """Image model of a library; it is also a `torch.nn.Module`.

    Attributes:
        width: Token width C, or the feature width of a network without tokens.
        dim: Feature width D.
        depth: Number of blocks or stages.
        image_size: Side length of the input in pixels.
        mean: Mean of each colour channel in [0, 1].
        std: Standard deviation of each colour channel.
    """

    width: int
    dim: int
    depth: int
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the trunk that holds a parameter, and its block index (0 outside the blocks)."""


class TrunkBackbone(Backbone):
    """Backbone with a trunk that is frozen except for the parameters that adapters train.

    Args:
        trunk: Image model.
    """

    # A Trunk that is also a module, which annotations cannot express.
    trunk: Any
    mean: Tensor
    std: Tensor

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        assert isinstance(trunk, nn.Module)
        self.trunk = trunk
        self.width, self.dim, self.depth = trunk.width, trunk.dim, trunk.depth
        self.image_size = trunk.image_size
        self.register_buffer("mean", torch.tensor(trunk.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(trunk.std).view(3, 1, 1), persistent=False)
        self.adapt([Frozen() for _ in range(trunk.depth)])

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Attach one adapter to each block and make the trunk parameters they name trainable.

        Raises:
            ValueError: The number of adapters differs from the number of blocks.
        """
        if len(adapters) != self.depth:
            raise ValueError(f"{len(adapters)} adapters for {self.depth} blocks.")
        self.adapters = nn.ModuleList(adapters)
        for prefix, owner in self.trunk.named_modules():
            for name, parameter in owner.named_parameters(recurse=False):
                full_name = f"{prefix}.{name}" if prefix else name
                part, index = self.trunk.locate(full_name)
                in_charge = [adapters[index]] if part == "block" else adapters
                parameter.requires_grad_(any(a.trains(part, full_name, owner) for a in in_charge))
        self.joint = any(a.joint for a in adapters)
        self.uses_text = any(a.uses_text for a in adapters)
        self.train(self.training)

    def train(self, mode: bool = True) -> "TrunkBackbone":
        """Set the mode as in torch; a fully frozen trunk stays in evaluation mode (no dropout)."""
        super().train(mode)
        trainable = any(p.requires_grad for p in self.trunk.parameters())
        self.trunk.train(mode and trainable)
        return self

    def normalise(self, images: Num[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Images normalised by the trunk's mean and standard deviation, on their own device."""
        # In place on the new tensor: at 224 pixels the frames of an episode take 150 MB.
        scaled = images.float().div_(255) if images.dtype == torch.uint8 else images
        return (scaled - self.mean).div_(self.std)
