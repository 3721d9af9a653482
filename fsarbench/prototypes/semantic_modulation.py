"""CLIP-FSAR: prototypes modulated by the text of the class (Wang et al., IJCV 2024)."""

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
    """Prototype modulation of CLIP-FSAR (Wang et al., arXiv 2303.02982).

    One temporal transformer for support and query: the frames of a class and one additional text
    token attend to each other, and the outputs of the frames are kept; the frames of a query attend
    to each other without text.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; None is 4 times `dim`.
        depth: Number of layers.
        dropout: Dropout rate.
        merge: Whether the K shots are averaged `before` or `after` the transformer.
        text_dim: Text feature width E, if known, to check it against `dim`.

    Raises:
        UserError: `heads` does not divide `dim`, or `text_dim` differs from `dim`.

    Example:
        >>> build = SemanticModulation(4, heads=2)
        >>> build(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), torch.ones(5, 1, 4))[0].shape
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

    def class_prototypes(
        self, support: Float[Tensor, "N K S F"], text: Float[Tensor, "N M E"] | None
    ) -> Float[Tensor, "N P S F"]:
        """One prototype per class.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        if self.merge == "before":
            support = support.mean(1, keepdim=True)
        text_token = guide_tokens("SemanticModulation", support, text)
        modulated = self._attend(torch.cat([support, text_token], dim=2))[:, :, :-1]
        return modulated.mean(1, keepdim=True)

    def query_features(self, query: Float[Tensor, "Q S F"]) -> Float[Tensor, "Q S F"]:
        """Frames of a query after attention to each other."""
        return self._attend(query)

    def _attend(self, tokens: Float[Tensor, "*B L D"]) -> Float[Tensor, "*B L D"]:
        for layer in self.layers:
            tokens = layer(tokens, tokens)
        return tokens
