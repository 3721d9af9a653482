"""Ladder side network of TS-FSAR beside a frozen trunk (Long et al., AAAI 2026)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import BlockIndex, PositiveFloat, PositiveInt
from fsarbench.episode import BEFORE_BLOCKS, TokenFeatures, VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.layers import SPACE, TIME, TransformerLayer
from fsarbench.registry import NECKS

Blocks = tuple[BlockIndex, ...]


@NECKS.register_module()
class LadderSideNetwork(Neck):
    """Ladder side network of TS-FSAR (Long et al., AAAI 2026, arXiv 2512.11340).

    The side network has one narrow transformer layer per block of the trunk. The first one reads
    the projected tokens before the first block. The output of each layer is mixed with the
    projected tokens after the block beside it, by a learnable gate, and is the input of the next
    layer. No gradient passes through the trunk, so that training stores none of its activations
    except the tokens between its blocks.

    As the neck of all branches it hands the backbone's features on unchanged, and its tokens to the
    necks of the branches, in place of those of the trunk's last block (level -1).

    Args:
        width: Token width C of the backbone.
        dim: Feature width D of the backbone.
        block_count: Blocks of the backbone, and layers of the side network.
        token_width: Width c of the side network.
        heads: Number of attention heads, a divisor of `token_width`.
        mlp_ratio: Hidden width of the feed-forward networks, as a multiple of `token_width`.
        temporal: Layers that attend over the frames of a clip, at each place of a frame; the others
            attend over the tokens of a frame. Negative indices count from the end.
        gate_temperature: Divisor of a gate's parameter, which starts at 0 (a share of one half).

    Raises:
        UserError: There is no layer with an index in `temporal`, or `heads` does not divide
            `token_width`.

    Example:
        >>> neck = LadderSideNetwork(6, 5, block_count=2, token_width=4, heads=2, temporal=(1,))
        >>> tokens = {level: torch.ones(3, 8, 10, 6) for level in neck.levels}
        >>> neck(VideoFeatures(torch.ones(3, 8, 5), tokens), None).tokens.shape
        torch.Size([3, 8, 10, 4])
    """

    def __init__(
        self,
        width: int,
        dim: int,
        block_count: int,
        token_width: PositiveInt = 256,
        heads: PositiveInt = 4,
        mlp_ratio: PositiveInt = 4,
        temporal: Blocks = (6, 8, 10),
        gate_temperature: PositiveFloat = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.token_width = token_width
        self.levels = (BEFORE_BLOCKS, *range(block_count))
        self.gate_temperature = gate_temperature
        if any(not -block_count <= layer < block_count for layer in temporal):
            raise UserError(
                f"LadderSideNetwork: temporal is {list(temporal)}, expected layers from 0 to "
                f"{block_count - 1}, one per block of the backbone."
            )
        self.temporal = frozenset(layer % block_count for layer in temporal)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.levels)
        self.downs = nn.ModuleList(nn.Linear(width, token_width, bias=False) for _ in self.levels)
        self.layers = nn.ModuleList(
            TransformerLayer(token_width, heads, mlp_ratio * token_width, 0.0, pre_norm=True)
            for _ in range(block_count)
        )
        self.gates = nn.ParameterList(nn.Parameter(torch.zeros(1)) for _ in self.layers)

    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> TokenFeatures:
        """Features of the backbone, and the tokens of the side network; text is unused."""
        del text
        rungs = zip(self.levels, self.norms, self.downs, strict=True)
        first, *reduced = [down(norm(features.tokens[level])) for level, norm, down in rungs]
        tokens = first
        for index, (layer, gate, trunk) in enumerate(
            zip(self.layers, self.gates, reduced, strict=True)
        ):
            share = (gate / self.gate_temperature).sigmoid()
            tokens = share * self._mixed(index, layer, tokens) + (1 - share) * trunk
        return TokenFeatures(features.frames, tokens)

    def _mixed(
        self, index: int, layer: nn.Module, tokens: Float[Tensor, "V T L c"]
    ) -> Float[Tensor, "V T L c"]:
        if index not in self.temporal:
            return layer(tokens, tokens)
        along_time = tokens.transpose(TIME, SPACE)
        return layer(along_time, along_time).transpose(TIME, SPACE)
