"""Prototypes that the class's text modulates (CLIP-FSAR, Wang et al., IJCV 2024)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.functional.text_scores import check_widths, guide_tokens
from fsarbench.layers import TransformerLayer
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.registry import PROTOTYPES

Merge = Literal["before", "after"]


@PROTOTYPES.register_module()
class SemanticModulation(PerVideoPrototypeBuilder):
    """The prototype modulation of CLIP-FSAR (Wang et al., arXiv 2303.02982).

    One temporal transformer for both branches: the frames of a class and its text, one token more,
    attend to one another, and the frames are kept; the frames of a query go alone.

    Args:
        dim: The feature width D.
        heads: Attention heads, a divisor of `dim`.
        hidden: The width inside the feed-forward part; None is 4 times `dim`.
        depth: The number of layers.
        dropout: The share of a part's output that is dropped in training.
        merge: Whether the K shots are averaged `before` the transformer or `after` it.
        text_dim: The text feature width E where it is known, to be checked against `dim`.

    Raises:
        UserError: Arguments that do not fit together.

    Example:
        >>> build = SemanticModulation(4, heads=2)
        >>> build(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), torch.ones(5, 4))[0].shape
        torch.Size([1, 5, 1, 8, 4])
    """

    uses_text = True

    def __init__(
        self,
        dim: int,
        heads: PositiveInt = 8,
        hidden: PositiveInt | None = None,
        depth: PositiveInt = 1,
        dropout: ShareWithZero = 0.2,
        merge: Merge = "before",
        text_dim: int | None = None,
    ) -> None:
        super().__init__()
        check_widths("SemanticModulation", dim, dim if text_dim is None else text_dim)
        self.merge = merge
        hidden = 4 * dim if hidden is None else hidden
        self.layers = nn.ModuleList(
            TransformerLayer(dim, heads, hidden, dropout, pre_norm=True) for _ in range(depth)
        )

    def of_classes(
        self, support: Float[Tensor, "N K T D"], text: Float[Tensor, "N E"] | None
    ) -> Float[Tensor, "N P T D"]:
        """One prototype a class.

        Raises:
            UserError: There is no text, or its width is not that of the features.
        """
        if self.merge == "before":
            support = support.mean(1, keepdim=True)
        word = guide_tokens("SemanticModulation", support, text)
        modulated = self._attend(torch.cat([support, word], dim=2))[:, :, :-1]
        return modulated.mean(1, keepdim=True)

    def of_queries(self, query: Float[Tensor, "Q T D"]) -> Float[Tensor, "Q T D"]:
        """The frames of a query after attending to one another."""
        return self._attend(query)

    def _attend(self, tokens: Float[Tensor, "*B L D"]) -> Float[Tensor, "*B L D"]:
        for layer in self.layers:
            tokens = layer(tokens, tokens)
        return tokens
