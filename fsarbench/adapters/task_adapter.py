"""Task-Adapter (Cao et al., ACM MM 2024, arXiv 2408.00249)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block
from fsarbench.layers import TIME, VIDEOS, Bottleneck, TemporalEmbedding, attend_along
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class TaskAdapter(Adapter):
    """AIM's adaptation plus attention across the videos of an episode, in the last blocks.

    The frozen attention runs over time, over space, and (for each frame and token position) over
    all videos of the episode, including the queries.

    Args:
        width: Token width C, filled in from the backbone.
        frames: Frames T of a clip, filled in from the config.
        block_count: Number of blocks of the trunk, filled in from the backbone.
        block_index: Index of this adapter's block, filled in from the backbone.
        last: Number of adapted blocks.
        reduction: Token width divided by the hidden width of every adapter.
        scale: Factor of the joint adaptation.
        zero_init: Whether the adapter across videos is initialised to zero, like the others.

    Raises:
        UserError: `last` is not between 1 and the number of blocks.
    """

    joint = True

    def __init__(
        self,
        width: int,
        frames: int,
        block_count: int,
        block_index: int,
        last: PositiveInt = 4,
        reduction: PositiveInt = 4,
        scale: float = 1.0,
        zero_init: bool = True,
    ) -> None:
        super().__init__()
        if last > block_count:
            raise UserError(f"TaskAdapter: last={last}, but the trunk has {block_count} blocks.")
        self.width, self.frames = width, frames
        adapted = block_index >= block_count - last
        hidden = width // reduction
        self.adapted = TaskBlock(width, hidden, scale, zero_init) if adapted else None

    def entry(self) -> nn.Module | None:
        """Temporal embedding."""
        return TemporalEmbedding(self.frames, self.width)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the block, which is adapted if it is one of the last."""
        del text
        return block(tokens) if self.adapted is None else self.adapted(tokens, block)


class TaskBlock(nn.Module):
    """Temporal, spatial, task and joint adaptation of one block.

    Args:
        width: Token width C.
        hidden: Hidden width of every adapter.
        scale: Factor of the joint adaptation.
        zero_init: Whether the adapter across videos is initialised to zero.
    """

    def __init__(self, width: int, hidden: int, scale: float, zero_init: bool) -> None:
        super().__init__()
        self.scale = scale
        self.time, self.space = Bottleneck(width, hidden), Bottleneck(width, hidden)
        self.task, self.joint_adaptation = Bottleneck(width, hidden), Bottleneck(width, hidden)
        if not zero_init:
            self.task.up.reset_parameters()

    def forward(self, tokens: Float[Tensor, "V T L C"], block: Block) -> Float[Tensor, "V T L C"]:
        """Tokens of all videos of the episode after the block."""
        tokens = tokens + self.time(attend_along(TIME, block.norm1(tokens), block.attend))
        attended = block.attend(block.norm1(tokens))
        tokens = tokens + attended + self.space(attended)
        tokens = tokens + self.task(attend_along(VIDEOS, block.norm1(tokens), block.attend))
        normed = block.norm2(tokens)
        return tokens + block.mlp(normed) + self.scale * self.joint_adaptation(normed)
