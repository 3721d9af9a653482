"""Visual prompt tuning, deep (Jia et al., ECCV 2022, arXiv 2203.12119)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class VisualPrompts(Adapter):
    """Learnable prompt tokens of one block, appended to the tokens of every frame (Eq. 5).

    Args:
        width: Token width C, filled in from the backbone.
        prompts: Number of prompts per block.
    """

    def __init__(self, width: int, prompts: PositiveInt = 10) -> None:
        super().__init__()
        # The paper's bound also depends on the values of a patch (3 x 16 x 16); for ViT-B/16 they
        # equal the width.
        bound = (3 / width) ** 0.5
        self.prompts = nn.Parameter(torch.empty(prompts, width).uniform_(-bound, bound))

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the block with prompts; the outputs of the prompts are discarded."""
        del text
        prompts = self.prompts.expand(*tokens.shape[:2], -1, -1)
        # Attention does not depend on the order of tokens, so the prompts may come last.
        return block(torch.cat([tokens, prompts], dim=2))[:, :, : tokens.shape[2]]
