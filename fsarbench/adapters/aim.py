"""AIM (Yang et al., ICLR 2023, arXiv 2302.03024)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.interfaces import Adapter, Block, TrunkSection
from fsarbench.layers import TIME, Bottleneck, TemporalEmbedding, attend_along, is_norm
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class AIM(Adapter):
    """Frozen attention over time, frozen attention over space, MLP, each with an adapter (Fig. 2).

    Args:
        width: Token width C, filled in from the backbone.
        frames: Frames T of a clip, filled in from the config.
        reduction: Token width divided by the hidden width of every adapter.
        temporal: Adapters of the attention over time: 1 after it, or 2 (before and after it).
        scale: Factor s of the joint adaptation.
        last_norm: Whether the norm after the last block is trainable.
        as_released: Whether the temporal embedding is added before CLIP's norm in front of the
            blocks, and the first layers of the adapters are initialised, as in the authors' code.
    """

    def __init__(
        self,
        width: int,
        frames: int,
        reduction: PositiveInt = 4,
        temporal: Literal[1, 2] = 1,
        scale: float = 0.5,
        last_norm: bool = True,
        as_released: bool = False,
    ) -> None:
        super().__init__()
        hidden = width // reduction
        self.width, self.frames = width, frames
        self.scale, self.last_norm = scale, last_norm
        self.before_time = Bottleneck(width, hidden) if temporal == 2 else None
        self.time = Bottleneck(width, hidden)
        self.space = Bottleneck(width, hidden)
        self.joint_adaptation = Bottleneck(width, hidden)
        self.as_released = as_released
        if as_released:
            for module in self.modules():
                if isinstance(module, Bottleneck):
                    nn.init.trunc_normal_(module.down.weight, std=0.02)
                    nn.init.zeros_(module.down.bias)

    def entry(self) -> nn.Module | None:
        """Temporal embedding."""
        return TemporalEmbedding(self.frames, self.width, before_norm=self.as_released)

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a parameter belongs to the trainable norm after the last block."""
        del name
        return self.last_norm and part == "pool" and is_norm(owner)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the adapted block."""
        del text
        normed = block.norm1(tokens)
        if self.before_time is not None:
            normed = normed + self.before_time(normed)
        tokens = tokens + self.time(attend_along(TIME, normed, block.attend))
        attended = block.attend(block.norm1(tokens))
        tokens = tokens + attended + self.space(attended)
        normed = block.norm2(tokens)
        return tokens + block.mlp(normed) + self.scale * self.joint_adaptation(normed)
