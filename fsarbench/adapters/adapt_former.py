"""AdaptFormer (Chen et al., NeurIPS 2022, arXiv 2205.13535)."""

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class AdaptFormer(Adapter):
    """Scaled ReLU bottleneck in parallel to the MLP (Eq. 2 and 3).

    Args:
        width: Token width C, filled in from the backbone.
        bottleneck: Hidden width.
        scale: Factor s of the bottleneck's output.
        normed: Whether the bottleneck reads the normalised tokens, as the MLP does.
    """

    def __init__(
        self, width: int, bottleneck: PositiveInt = 64, scale: float = 0.1, normed: bool = True
    ) -> None:
        super().__init__()
        self.scale, self.normed = scale, normed
        self.down, self.up = nn.Linear(width, bottleneck), nn.Linear(bottleneck, width)
        for parameter in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(parameter)

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the block with the bottleneck in parallel to its MLP."""
        del text
        tokens = tokens + block.attend(block.norm1(tokens))
        normed = block.norm2(tokens)
        added = self.up(self.down(normed if self.normed else tokens).relu())
        return tokens + block.mlp(normed) + self.scale * added
