"""What all backbones share: a frozen trunk, its normalisation, and the parameters adapters tune."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.adapters.frozen import Frozen
from fsarbench.interfaces import Adapter, Backbone, TrunkPart


@runtime_checkable
class Trunk(Protocol):
    """A library's image model; it is also a `torch.nn.Module`.

    Attributes:
        width: Token width C, or the feature width where there are no tokens.
        dim: Feature width D.
        depth: The number of blocks or stages.
        image_size: Pixels of a side.
        mean: What is subtracted from each colour in [0, 1].
        std: What the difference is divided by.
    """

    width: int
    dim: int
    depth: int
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def locate(self, name: str) -> tuple[TrunkPart, int]:
        """The part that a parameter belongs to, and the block's index (0 outside the blocks)."""


class TrunkBackbone(Backbone):
    """A trunk that is frozen but for what the adapters ask for.

    Args:
        trunk: The image model.
    """

    # A Trunk that is a module too, which no annotation can say.
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
        """Put one adapter on each block, and tune what they ask for.

        Raises:
            ValueError: There are more or fewer adapters than blocks.
        """
        if len(adapters) != self.depth:
            raise ValueError(f"{len(adapters)} adapters for {self.depth} blocks.")
        self.adapters = nn.ModuleList(adapters)
        for place, owner in self.trunk.named_modules():
            for name, parameter in owner.named_parameters(recurse=False):
                full = f"{place}.{name}" if place else name
                part, index = self.trunk.locate(full)
                asked = [adapters[index]] if part == "block" else adapters
                parameter.requires_grad_(any(a.tunes(part, full, owner) for a in asked))
        self.joint = any(a.joint for a in adapters)
        self.uses_text = any(a.uses_text for a in adapters)
        self.train(self.training)

    def train(self, mode: bool = True) -> "TrunkBackbone":
        """As torch's; a wholly frozen trunk stays in evaluation mode, so without dropout."""
        super().train(mode)
        tuned = any(p.requires_grad for p in self.trunk.parameters())
        self.trunk.train(mode and tuned)
        return self

    def normalise(self, images: Num[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """The trunk's own mean and deviation, on the device of the frames."""
        # In place on what is new: at 224 pixels the frames of an episode take 150 MB.
        scaled = images.float().div_(255) if images.dtype == torch.uint8 else images
        return (scaled - self.mean).div_(self.std)
