"""Visual prompt tuning, deep (Jia et al., ECCV 2022, arXiv 2203.12119)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.interfaces import Adapter, Block
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class VisualPrompts(Adapter):
    """Learnable tokens of its own for each block, among those of every frame (Eq. 5).

    Args:
        width: Token width C, offered by assembly.
        prompts: Their number.
    """

    def __init__(self, width: int, prompts: PositiveInt = 10) -> None:
        super().__init__()
        # The paper's bound has the pixels of a patch beside the width; on ViT-B/16 they are equal.
        bound = (3 / width) ** 0.5
        self.prompts = nn.Parameter(torch.empty(prompts, width).uniform_(-bound, bound))

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The block with the prompts among the tokens; what becomes of them is dropped."""
        del text
        prompts = self.prompts.expand(*tokens.shape[:2], -1, -1)
        # Attention does not know the order of its tokens, so the prompts may as well come last.
        return block(torch.cat([tokens, prompts], dim=2))[:, :, : tokens.shape[2]]
