"""Task-Adapter (Cao et al., ACM MM 2024, arXiv 2408.00249)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.adapters.axis_attention import TIME, VIDEOS, attend_along
from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block
from fsarbench.layers import Bottleneck, TemporalEmbedding
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class TaskAdapter(Adapter):
    """Attention across the videos of a task, in the last blocks, among AIM's adaptations.

    The frozen attention runs over time, over space, and for each frame and position over all videos
    of the task, queries among them.

    Args:
        width: Token width C, offered by assembly.
        frames: Frames T of a clip, offered by assembly.
        block_count: Blocks of the trunk, offered by assembly.
        block_index: The place of this adapter's block, offered by assembly.
        last: How many blocks are adapted.
        reduction: The token width over the inner width of every adapter.
        scale: The factor of the joint adaptation.
        zero_init: The adapter across videos starts at zero, as the others do.

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
        """The temporal embedding."""
        return TemporalEmbedding(self.frames, self.width)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The adapted block, or the plain one before the last blocks."""
        del text
        return block(tokens) if self.adapted is None else self.adapted(tokens, block)


class TaskBlock(nn.Module):
    """Temporal, spatial, task and joint adaptation of one block.

    Args:
        width: Token width C.
        hidden: Inner width of every adapter.
        scale: The factor of the joint adaptation.
        zero_init: The adapter across videos starts at zero.
    """

    def __init__(self, width: int, hidden: int, scale: float, zero_init: bool) -> None:
        super().__init__()
        self.scale = scale
        self.time, self.space = Bottleneck(width, hidden), Bottleneck(width, hidden)
        self.task, self.joint_adaptation = Bottleneck(width, hidden), Bottleneck(width, hidden)
        if not zero_init:
            self.task.up.reset_parameters()

    def forward(self, tokens: Float[Tensor, "V T L C"], block: Block) -> Float[Tensor, "V T L C"]:
        """The tokens of all videos of the task after the block."""
        tokens = tokens + self.time(attend_along(TIME, block.norm1(tokens), block))
        attended = block.attend(block.norm1(tokens))
        tokens = tokens + attended + self.space(attended)
        tokens = tokens + self.task(attend_along(VIDEOS, block.norm1(tokens), block))
        normed = block.norm2(tokens)
        return tokens + block.mlp(normed) + self.scale * self.joint_adaptation(normed)
