"""CLIP-CPM2C: prototypes with the text of the class, queries with a token in its place."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NonNegativeFloat, PositiveInt, ShareWithZero
from fsarbench.functional.text_scores import check_widths, class_text, guide_tokens
from fsarbench.layers import LayerAsReleased, TextFusion
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class ConsistencyPrototypes(PerVideoPrototypeBuilder):
    """Consistency prototype module of CLIP-CPM2C (Guo et al., Neurocomputing 2025).

    The text of the class is added to the frames of a support video, and text and frames attend to
    each other. The class of a query is unknown: a learnable token takes the place of the text. The
    loss Consistency pulls the features with text and with the token together.

    Args:
        dim: Feature width D.
        segments: Number of segments of the steps, such as frames and motion (see FrameMotion). They
            are processed one by one, with a token each and the same layer. The steps are split as
            in SegmentMatching.
        text_share: Factor of text or token that is added to the frames.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; 2048 in the authors' code for every `dim`.
        dropout: Dropout rate; None takes the rates of the authors' code: 0.2 after the attention,
            0.05 in the feed-forward network.
        text_dim: Text feature width E, if known, to check it against `dim`.

    Raises:
        UserError: `heads` does not divide `dim`, or `text_dim` differs from `dim`.

    Example:
        >>> build = ConsistencyPrototypes(4, segments=2, heads=2).eval()
        >>> build(torch.ones(5, 3, 15, 4), torch.ones(2, 15, 4), torch.ones(5, 1, 4))[0].shape
        torch.Size([1, 5, 1, 15, 4])
    """

    uses_text = True

    def __init__(
        self,
        dim: int,
        segments: PositiveInt = 1,
        text_share: NonNegativeFloat = 0.1,
        heads: PositiveInt = 8,
        hidden: PositiveInt = 2048,
        dropout: ShareWithZero | None = None,
        text_dim: int | None = None,
    ) -> None:
        super().__init__()
        check_widths("ConsistencyPrototypes", dim, dim if text_dim is None else text_dim)
        rates = (0.2, 0.05) if dropout is None else (dropout, dropout)
        self.fuse = TextFusion(LayerAsReleased(dim, heads, hidden, *rates), text_share)
        self.tokens = nn.Parameter(torch.randn(segments, 1, dim))

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> (
        tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]
        | tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"], Mapping[str, Tensor]]
    ):
        """One prototype per class.

        In training, the auxiliary outputs `consistency_support` "V S2 F" and `consistency_query`
        "Q N S2 F" are the differences of the features with text and with the token, those of a
        query for the text of each class. Each segment has its token as an additional first step.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        guide = guide_tokens("ConsistencyPrototypes", support, text)
        classes, matched = self._with_text(support, guide), self._with_token(query)
        built = self._frames(classes).mean(1, keepdim=True)[None], self._frames(matched)
        if not self.training or text is None:
            return built
        every_text = class_text(text)[None, :, None].expand(len(query), -1, -1, -1)
        every_class = self._with_text(query[:, None].expand(-1, len(text), -1, -1), every_text)
        return *built, {
            "consistency_support": (classes - self._with_token(support)).flatten(0, 1),
            "consistency_query": every_class - matched[:, None],
        }

    def class_prototypes(
        self, support: Float[Tensor, "N K S F"], text: Float[Tensor, "N M E"] | None
    ) -> Float[Tensor, "N P S F"]:
        """One prototype per class: the mean over its shots with the text of the class.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        guide = guide_tokens("ConsistencyPrototypes", support, text)
        return self._frames(self._with_text(support, guide)).mean(1, keepdim=True)

    def query_features(self, query: Float[Tensor, "Q S F"]) -> Float[Tensor, "Q S F"]:
        """Steps of a query with the token."""
        return self._frames(self._with_token(query))

    def _with_text(
        self, videos: Float[Tensor, "*B S F"], text: Float[Tensor, "*B 1 F"]
    ) -> Float[Tensor, "*B S2 F"]:
        return torch.cat([self.fuse(part, text) for part in self._segments(videos)], dim=-2)

    def _with_token(self, videos: Float[Tensor, "*B S F"]) -> Float[Tensor, "*B S2 F"]:
        parts = zip(self._segments(videos), self.tokens, strict=True)
        fused = [self.fuse(part, token.expand(*part.shape[:-2], 1, -1)) for part, token in parts]
        return torch.cat(fused, dim=-2)

    def _frames(self, fused: Float[Tensor, "*B S2 F"]) -> Float[Tensor, "*B S F"]:
        """Steps of all segments without the first one of each."""
        return torch.cat([part[..., 1:, :] for part in self._segments(fused)], dim=-2)

    def _segments(self, videos: Float[Tensor, "*B S F"]) -> tuple[Float[Tensor, "*B _ F"], ...]:
        # With one more step for each segment, all of them are longer by one.
        return videos.tensor_split(len(self.tokens), dim=-2)
