"""Prototypes that depend on the query they are matched with (HyRSM, Wang et al., CVPR 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.layers import MultiHeadAttention, sinusoids
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class HybridRelation(PrototypeBuilder):
    """The hybrid relation module of HyRSM (Wang et al., CVPR 2022, arXiv 2204.13423).

    First the frames of each video attend to one another. Then, for each query by itself, the
    time-averaged features of the N classes and of that query attend to one another, and what comes
    out of it is mixed into the frames of either side.

    Args:
        dim: The feature width D.
        heads: Attention heads, a divisor of `dim`.
        dropout: The share of a part's output that is dropped in training.

    Example:
        >>> relate = HybridRelation(4, heads=2)
        >>> relate(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)[0].shape
        torch.Size([2, 5, 1, 8, 4])
    """

    def __init__(self, dim: int, heads: PositiveInt = 8, dropout: ShareWithZero = 0.1) -> None:
        super().__init__()
        self.scale = (dim / 10) ** 0.5  # as in the authors' code: features well above positions
        self.within, self.between = MultiHeadAttention(dim, heads), MultiHeadAttention(dim, heads)
        self.norm_within, self.norm_between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        # One map of frame and context side by side, as the sum of one of each: the frames of a
        # class are then mapped once, and not once for each query.
        self.frame, self.context = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        for parameter in (self.frame.weight, self.frame.bias, self.context.weight):
            nn.init.uniform_(parameter, -((2 * dim) ** -0.5), (2 * dim) ** -0.5)

    def forward(
        self,
        support: Float[Tensor, "N K T D"],
        query: Float[Tensor, "Q T D"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P T D"], Float[Tensor, "Q T D"]]:
        """One prototype a class for each query; text is left alone."""
        classes, query = self._relate_frames(support).mean(1), self._relate_frames(query)
        videos = classes.mean(1).expand(query.shape[0], -1, -1)
        context = self._relate_videos(torch.cat([videos, query.mean(1, keepdim=True)], dim=1))
        prototypes = self.frame(classes) + context[:, :-1, None]
        return prototypes[:, :, None], self.frame(query) + context[:, -1:]

    def _relate_frames(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B T D"]:
        frames = self.dropout(self.scale * frames + sinusoids(frames))
        normal = self.norm_within(frames)
        return (frames + self.dropout(self.within(normal, normal))).relu()

    def _relate_videos(self, videos: Float[Tensor, "Q M D"]) -> Float[Tensor, "Q M D"]:
        related = videos + self.dropout(self.between(videos, videos))
        return self.context(self.norm_between(related).relu())
