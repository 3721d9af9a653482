"""HyRSM: query-specific prototypes (Wang et al., CVPR 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.layers import MultiHeadAttention, sinusoids
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class HybridRelation(PrototypeBuilder):
    """Hybrid relation module of HyRSM (Wang et al., CVPR 2022, arXiv 2204.13423).

    First the frames of each video attend to each other. Then, separately for each query, the
    time-averaged features of the N classes and of the query attend to each other, and the result is
    added to the frames of the classes and of the query.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        dropout: Dropout rate.

    Example:
        >>> relate = HybridRelation(4, heads=2)
        >>> relate(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)[0].shape
        torch.Size([2, 5, 1, 8, 4])
    """

    def __init__(self, dim: int, heads: PositiveInt = 8, dropout: ShareWithZero = 0.1) -> None:
        super().__init__()
        # As in the authors' code: features much larger than the positional encoding.
        self.scale = (dim / 10) ** 0.5
        self.within, self.between = MultiHeadAttention(dim, heads), MultiHeadAttention(dim, heads)
        self.norm_within, self.norm_between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        # The linear map of concatenated frame and context is split into the sum of two maps, so
        # that the frames of a class are mapped once and not once per query.
        self.frame, self.context = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        for parameter in (self.frame.weight, self.frame.bias, self.context.weight):
            nn.init.uniform_(parameter, -((2 * dim) ** -0.5), (2 * dim) ** -0.5)

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        """One prototype per class and query; text is unused."""
        classes, query = self._relate_frames(support).mean(1), self._relate_frames(query)
        videos = classes.mean(1).expand(query.shape[0], -1, -1)
        context = self._relate_videos(torch.cat([videos, query.mean(1, keepdim=True)], dim=1))
        prototypes = self.frame(classes) + context[:, :-1, None]
        return prototypes[:, :, None], self.frame(query) + context[:, -1:]

    def _relate_frames(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B T D"]:
        frames = self.dropout(self.scale * frames + sinusoids(frames))
        normed = self.norm_within(frames)
        return (frames + self.dropout(self.within(normed, normed))).relu()

    def _relate_videos(self, videos: Float[Tensor, "Q M D"]) -> Float[Tensor, "Q M D"]:
        related = videos + self.dropout(self.between(videos, videos))
        return self.context(self.norm_between(related).relu())
