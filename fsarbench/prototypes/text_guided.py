"""TPCM: prototypes guided by the text of the class (MA-FSAR, Xing et al., 2023)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.functional.text_scores import check_widths, guide_tokens
from fsarbench.layers import TransformerLayer
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.registry import PROTOTYPES

Norm = Literal["pre", "post"]
Merge = Literal["before", "after"]


@PROTOTYPES.register_module()
class TextGuided(PerVideoPrototypeBuilder):
    """Text-guided prototype construction module of MA-FSAR (Xing et al., arXiv 2308.01532).

    One transformer layer for support and query: the frames of a class, with its text added, attend
    to the text and the frames; the frames of a query attend to each other.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; None is 4 times `dim`.
        dropout: Dropout rate.
        norm: `pre` normalises before attention and feed-forward network, `post` after their skip
            connections.
        merge: Whether the K shots are averaged `before` or `after` the layer.
        text_dim: Text feature width E, if known, to check it against `dim`.

    Raises:
        UserError: `heads` does not divide `dim`, or `text_dim` differs from `dim`.

    Example:
        >>> sum(p.numel() for p in TextGuided(512).parameters())
        3152384
    """

    uses_text = True

    def __init__(
        self,
        dim: int,
        heads: PositiveInt = 8,
        hidden: PositiveInt | None = None,
        dropout: ShareWithZero = 0.0,
        norm: Norm = "pre",
        merge: Merge = "before",
        text_dim: int | None = None,
    ) -> None:
        super().__init__()
        check_widths("TextGuided", dim, dim if text_dim is None else text_dim)
        self.merge = merge
        hidden = 4 * dim if hidden is None else hidden
        self.layer = TransformerLayer(dim, heads, hidden, dropout, pre_norm=norm == "pre")

    def class_prototypes(
        self, support: Float[Tensor, "N K S F"], text: Float[Tensor, "N M E"] | None
    ) -> Float[Tensor, "N P S F"]:
        """One prototype per class.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        if self.merge == "before":
            support = support.mean(1, keepdim=True)
        guide = guide_tokens("TextGuided", support, text)
        guided = self.layer(support + guide, torch.cat([guide, support], dim=2))
        return guided.mean(1, keepdim=True)

    def query_features(self, query: Float[Tensor, "Q S F"]) -> Float[Tensor, "Q S F"]:
        """Frames of a query after attention to each other."""
        return self.layer(query, query)
