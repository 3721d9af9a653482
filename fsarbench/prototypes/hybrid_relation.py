"""HyRSM: query-specific prototypes (Wang et al., CVPR 2022)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import (
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ShareWithZero,
)
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.layers import (
    MultiHeadAttention,
    draw_by_head_width,
    dropout_layer,
    sinusoids,
    squared_frequencies,
)
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
        dropout: Dropout rate; None is 0.1, and with `as_released` the rates of the authors' code:
            0.1 for the frames with their positions and for the attention weights between videos,
            0.2 after the attention within a video, 0.05 after that between videos.
        feature_scale: Factor of the features before the positional encoding is added; None is
            sqrt(dim / 10), the default of the authors' code.
        position_scale: Factor of the positional encoding. The authors' Kinetics-100 configs have
            0.01, and a `feature_scale` of 1.
        as_released: Whether positional encoding (`squared_frequencies`), projections (no bias for
            query, key and value) and initialisation are those of the authors' code.

    Example:
        >>> relate = HybridRelation(4, heads=2)
        >>> relate(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), None)[0].shape
        torch.Size([2, 5, 1, 8, 4])
    """

    def __init__(
        self,
        dim: int,
        heads: PositiveInt = 8,
        dropout: ShareWithZero | None = None,
        feature_scale: PositiveFloat | None = None,
        position_scale: NonNegativeFloat = 1.0,
        as_released: bool = False,
    ) -> None:
        super().__init__()
        # As in the authors' code: features much larger than the positional encoding.
        self.scale = (dim / 10) ** 0.5 if feature_scale is None else feature_scale
        self.position_scale = position_scale
        self.positions = squared_frequencies if as_released else sinusoids
        frames, within, weights, between = dropout_rates(dropout, as_released)
        bias = not as_released
        self.within = MultiHeadAttention(dim, heads, bias)
        self.between = MultiHeadAttention(dim, heads, bias, dropout=weights)
        self.norm_within, self.norm_between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = dropout_layer(frames)
        self.dropout_within, self.dropout_between = dropout_layer(within), dropout_layer(between)
        # The linear map of concatenated frame and context is split into the sum of two maps, so
        # that the frames of a class are mapped once and not once per query.
        self.frame, self.context = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        for parameter in (self.frame.weight, self.frame.bias, self.context.weight):
            nn.init.uniform_(parameter, -((2 * dim) ** -0.5), (2 * dim) ** -0.5)
        if as_released:
            draw_as_released(self.within, self.between)

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> (
        tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]
        | tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"], Mapping[str, Tensor]]
    ):
        """One prototype per class and query; text is unused.

        In training, the auxiliary output `attended` "V S F" holds the frames of every video behind
        the first attention, the support videos first and class-major, then the queries.
        """
        support, query = self._relate_frames(support), self._relate_frames(query)
        prototypes, matched = self._match_frames(support.mean(1), query)
        if not self.training:
            return prototypes, matched
        return prototypes, matched, {"attended": torch.cat([support.flatten(0, 1), query])}

    def _match_frames(
        self, classes: Float[Tensor, "N S F"], query: Float[Tensor, "Q S F"]
    ) -> tuple[Float[Tensor, "Q N 1 S F"], Float[Tensor, "Q S F"]]:
        """Prototypes and query features from the related frames of classes and queries."""
        videos = classes.mean(1).expand(query.shape[0], -1, -1)
        context = self._relate_videos(torch.cat([videos, query.mean(1, keepdim=True)], dim=1))
        prototypes = self.frame(classes) + context[:, :-1, None]
        return prototypes[:, :, None], self.frame(query) + context[:, -1:]

    def _relate_frames(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B T D"]:
        positions = self.position_scale * self.positions(frames)
        frames = self.dropout(self.scale * frames + positions)
        normed = self.norm_within(frames)
        return (frames + self.dropout_within(self.within(normed, normed))).relu()

    def _relate_videos(self, videos: Float[Tensor, "Q M D"]) -> Float[Tensor, "Q M D"]:
        related = videos + self.dropout_between(self.between(videos, videos))
        return self.context(self.norm_between(related).relu())


def dropout_rates(rate: float | None, as_released: bool) -> tuple[float, float, float, float]:
    """Dropout rates of frames, attention output, attention weights and output between videos."""
    if rate is None:
        return (0.1, 0.2, 0.1, 0.05) if as_released else (0.1, 0.1, 0.0, 0.1)
    return rate, rate, rate if as_released else 0.0, rate


def draw_as_released(within: MultiHeadAttention, between: MultiHeadAttention) -> None:
    """Initialise both attentions as HyRSM's code does.

    Within a video all projections are drawn as `torch.nn.Linear` draws them: at width 512 a
    standard deviation of 0.0255, where attention as in torch has 0.0312. Output biases are random.
    """
    for layer in (within.query, within.key, within.value, within.out):
        layer.reset_parameters()
    draw_by_head_width(between)
