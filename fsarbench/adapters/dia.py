"""DiA: bottlenecks with convolutions over past and over future frames."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS

Mix = Literal["shared", "channel", "token"]


@ADAPTERS.register_module()
class DiA(Adapter):
    """Bottlenecks after attention and MLP, with a causal and an anti-causal convolution over time.

    Args:
        width: Token width C, filled in from the backbone.
        reduction: Token width divided by the hidden width; 4 gives 192 on ViT-B.
        kernel: Frames of each convolution, the current one included.
        mix: Softmax weights of the two directions: one pair for all channels (`shared`), one pair
            per channel (`channel`), or one pair per token, predicted from its bottleneck (`token`).
        reads: Input of a bottleneck: the tokens after the residual connection (`stream`), or the
            output of the attention or the MLP before it (`branch`).
        tokens: Adapted tokens: `all`, or `patches` without class token and registers.

    Raises:
        UserError: The hidden width is zero.
    """

    def __init__(
        self,
        width: int,
        reduction: PositiveInt = 4,
        kernel: PositiveInt = 5,
        mix: Mix = "channel",
        reads: Literal["stream", "branch"] = "stream",
        tokens: Literal["all", "patches"] = "all",
    ) -> None:
        super().__init__()
        if reduction > width:
            raise UserError(f"the bottleneck is empty: reduction exceeds the width {width}.")
        self.reads, self.adapts_prefix = reads, tokens == "all"
        hidden = width // reduction
        self.after_attention = BidirectionalBottleneck(width, hidden, kernel, mix)
        self.after_mlp = BidirectionalBottleneck(width, hidden, kernel, mix)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the adapted block."""
        del text
        attended = block.attend(block.norm1(tokens))
        tokens = self.added(tokens, attended, self.after_attention, block.prefix)
        transformed = block.mlp(block.norm2(tokens))
        return self.added(tokens, transformed, self.after_mlp, block.prefix)

    def added(
        self,
        tokens: Float[Tensor, "V T L C"],
        branch: Float[Tensor, "V T L C"],
        bottleneck: nn.Module,
        prefix: int,
    ) -> Float[Tensor, "V T L C"]:
        """Tokens with the output of a branch and of its bottleneck added."""
        tokens = tokens + branch
        source = tokens if self.reads == "stream" else branch
        if self.adapts_prefix:
            return tokens + bottleneck(source)
        patches = tokens[:, :, prefix:] + bottleneck(source[:, :, prefix:])
        return torch.cat([tokens[:, :, :prefix], patches], dim=2)


class BidirectionalBottleneck(nn.Module):
    """W_up GELU(a f + (1 - a) b): f and b are convolutions of X W_down over past and future frames.

    Each convolution has its own weights per channel. Frames outside of the clip are copies of its
    first or last frame. The up projection is initialised to zero, so the initial output is zero.

    Args:
        width: Token width C.
        hidden: Hidden width.
        kernel: Frames of each convolution.
        mix: What the weight a depends on, see `DiA`.
    """

    def __init__(self, width: int, hidden: int, kernel: int, mix: Mix) -> None:
        super().__init__()
        self.extra = kernel - 1
        self.down, self.up = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.causal = nn.Conv2d(hidden, hidden, (kernel, 1), groups=hidden)
        self.anti_causal = nn.Conv2d(hidden, hidden, (kernel, 1), groups=hidden)
        self.gate: nn.Linear | None = None
        if mix == "token":
            self.gate = nn.Linear(hidden, 2)
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)
        else:
            self.logits = nn.Parameter(torch.zeros(hidden if mix == "channel" else 1, 2))
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, tokens: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """Change of the tokens, without a skip connection."""
        hidden = self.down(tokens)
        past = hidden[:, :1].expand(-1, self.extra, -1, -1)
        future = hidden[:, -1:].expand(-1, self.extra, -1, -1)
        forwards = over_time(self.causal, torch.cat([past, hidden], dim=1))
        backwards = over_time(self.anti_causal, torch.cat([hidden, future], dim=1))
        # Pairs of weights "V T L 1 2" per token, or "H 2" or "1 2" for all tokens.
        logits = self.logits if self.gate is None else self.gate(hidden)[..., None, :]
        weights = logits.softmax(-1)
        mixed = weights[..., 0] * forwards + weights[..., 1] * backwards
        return self.up(nn.functional.gelu(mixed))


def over_time(conv: nn.Module, padded: Float[Tensor, "V P L H"]) -> Float[Tensor, "V T L H"]:
    """Convolution along the axis of frames, token position by token position."""
    return conv(padded.movedim(-1, 1)).movedim(1, -1)
