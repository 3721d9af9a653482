"""TPCM: prototypes that the class's text guides (MA-FSAR, Xing et al., 2023)."""

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
    """The text-guided prototype construction module of MA-FSAR (Xing et al., arXiv 2308.01532).

    One transformer layer for both branches: the frames of a class, its text added, attend to the
    text and the frames; the frames of a query attend to one another.

    Args:
        dim: The feature width D.
        heads: Attention heads, a divisor of `dim`.
        hidden: The width inside the feed-forward part; None is 4 times `dim`.
        dropout: The share of a part's output that is dropped in training.
        norm: `pre` normalises what enters attention and feed-forward, `post` what leaves them.
        merge: Whether the K shots are averaged `before` the layer or `after` it.
        text_dim: The text feature width E where it is known, to be checked against `dim`.

    Raises:
        UserError: Arguments that do not fit together.

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

    def of_classes(
        self, support: Float[Tensor, "N K T D"], text: Float[Tensor, "N E"] | None
    ) -> Float[Tensor, "N P T D"]:
        """One prototype a class.

        Raises:
            UserError: There is no text, or its width is not that of the features.
        """
        if self.merge == "before":
            support = support.mean(1, keepdim=True)
        guide = guide_tokens("TextGuided", support, text)
        guided = self.layer(support + guide, torch.cat([guide, support], dim=2))
        return guided.mean(1, keepdim=True)

    def of_queries(self, query: Float[Tensor, "Q T D"]) -> Float[Tensor, "Q T D"]:
        """The frames of a query after attending to one another."""
        return self.layer(query, query)
