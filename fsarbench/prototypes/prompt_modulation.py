"""CLIP-SPM: prototypes and queries modulated by prompts, and by each other (Li et al., 2025)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import (
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ShareWithZero,
)
from fsarbench.functional.text_scores import check_widths, class_text, guide_tokens
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.layers import FeedForward, FrameDifferences, Gate, LayerAsReleased, TextFusion
from fsarbench.registry import PROTOTYPES


@PROTOTYPES.register_module()
class PromptModulation(PrototypeBuilder):
    """Motion refinement, prototype modulation and anchors of CLIP-SPM (Li et al., 2025).

    Text and frames of a support video attend to each other. For a query, whose class is unknown, a
    network makes a prompt of the mean text of the episode's classes and of the mean of the video.
    The modulated frames of all videos then attend, step by step, to those of the other videos:
    support videos with an anchor of each class, queries with the mean of these anchors. Source:
    Li, Lu, Wang, Li, Le, arXiv 2512.19036, and the authors' code.

    Prototypes and queries have three segments of S steps for SegmentMatching: modulated frames,
    frames behind the second attention, and anchors.

    Args:
        dim: Feature width D.
        text_share: Factor of the gated text that is added to the gated frames.
        gates: Hidden widths of the gates of the text and of the frames relative to `dim`, and the
            slope of their leaky ReLU for negative inputs.
        heads: Number of attention heads, and width of each.
        hidden: Hidden width of the feed-forward networks.
        dropout: Dropout rate; None takes the rates of the authors' code: 0.2 after an attention,
            0.05 in the feed-forward networks.
        transductive: Whether the queries of an episode enter the anchors and attend to each other,
            as in the authors' code. Otherwise each query is scored as if it were the only one.
        text_dim: Text feature width E, if known, to check it against `dim`.

    Raises:
        UserError: `text_dim` differs from `dim`.

    Example:
        >>> build = PromptModulation(4, heads=(2, 3)).eval()
        >>> build(torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4), torch.ones(5, 1, 4))[0].shape
        torch.Size([1, 5, 1, 24, 4])
    """

    uses_text = True

    def __init__(
        self,
        dim: int,
        text_share: NonNegativeFloat = 0.2,
        gates: tuple[PositiveFloat, PositiveFloat, NonNegativeFloat] = (1.5, 0.5, 0.0025),
        heads: tuple[PositiveInt, PositiveInt] = (8, 256),
        hidden: PositiveInt = 2048,
        dropout: ShareWithZero | None = None,
        transductive: bool = True,
        text_dim: int | None = None,
    ) -> None:
        super().__init__()
        check_widths("PromptModulation", dim, dim if text_dim is None else text_dim)
        self.transductive = transductive
        rates = (0.2, 0.05) if dropout is None else (dropout, dropout)
        of_text, of_frames, slope = gates
        number, width = heads

        def layer() -> LayerAsReleased:
            return LayerAsReleased(dim, number, hidden, *rates, head_width=width)

        gate_layers = Gate(dim, of_text, slope), Gate(dim, of_frames, slope)
        self.fuse = TextFusion(layer(), text_share, gate_layers)
        self.relate = layer()
        self.prompt = FeedForward(dim, hidden, rates[1])
        self.differences = FrameDifferences(dim)

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> (
        tuple[Float[Tensor, "#Q N P S2 F"], Float[Tensor, "Q S2 F"]]
        | tuple[Float[Tensor, "#Q N P S2 F"], Float[Tensor, "Q S2 F"], Mapping[str, Tensor]]
    ):
        """One prototype per class, of three segments.

        In training there are auxiliary outputs for the loss Consistency, each as `NAME_support`
        "V ..." and `NAME_query`: the differences `motion` "V F" of motion after and before the
        first attention; `prompt` of text and prompt, `fused_prompt` of both behind the first
        attention, `fused` of prompt and frames behind it, "V S2 F", for a query "Q N S2 F" with
        the text of each class.

        Raises:
            UserError: `text` is None, or its width differs from that of the features.
        """
        guide = guide_tokens("PromptModulation", support, text)
        assert text is not None
        anchor = class_text(text).mean(0)
        classes, prompt = self.fuse(support, guide), self._prompt(query, anchor)
        matched = self.fuse(query, prompt)
        built = self._related(classes[..., 1:, :], matched[..., 1:, :])
        if not self.training:
            return built
        names = class_text(text)[:, None].expand(len(query), -1, -1, -1)
        of_names = self.fuse(query[:, None].expand(-1, len(text), -1, -1), names)
        videos, texts = support.flatten(0, 1), guide.flatten(0, 1)
        made = self._prompt(videos, anchor)
        fused = classes.flatten(0, 1) - self.fuse(videos, made), of_names - matched[:, None]
        differences = {
            "motion": (self._motion_change(videos), self._motion_change(query)),
            "prompt": (texts - made, names - prompt[:, None]),
            "fused_prompt": (fused[0][..., :1, :], fused[1][..., :1, :]),
            "fused": fused,
        }
        return *built, by_part(differences)

    def output_frames(self, frames: int) -> int:
        """3 S."""
        return 3 * frames

    def _prompt(
        self, videos: Float[Tensor, "V S F"], anchor: Float[Tensor, " F"]
    ) -> Float[Tensor, "V 1 F"]:
        """Prompt of every video: the mean text of the classes, scaled by the mean of the video."""
        return self.prompt(anchor * videos.mean((1, 2))[:, None, None])

    def _motion_change(self, videos: Float[Tensor, "V S F"]) -> Float[Tensor, "V F"]:
        """Motion of the frames that their motion has modulated, minus that motion."""
        shallow = self.differences(videos).mean(1, keepdim=True)
        fused = self.fuse(videos, shallow)
        return self.differences(fused[:, 1:]).mean(1) - fused[:, 0]

    def _related(
        self, classes: Float[Tensor, "N K S F"], query: Float[Tensor, "Q S F"]
    ) -> tuple[Float[Tensor, "#Q N 1 S2 F"], Float[Tensor, "Q S2 F"]]:
        """Modulated frames, those behind the attention between videos, and anchors."""
        way, shot = classes.shape[:2]
        # Queries that are scored together: all of them, or each by itself.
        groups = query[None] if self.transductive else query[:, None]
        sums = classes.sum(1) + groups.sum(1)[:, None]
        anchors = sums / (shot + groups.shape[1])
        videos = classes.flatten(0, 1).expand(len(groups), -1, -1, -1)
        support = self._attend(torch.cat([anchors, videos], dim=1))
        related = self._attend(torch.cat([anchors.mean(1, keepdim=True), groups], dim=1))
        shots = support[:, way:].unflatten(1, (way, shot)).mean(2)
        own = classes.mean(1).expand(len(groups), -1, -1, -1)
        prototypes = torch.cat([own, shots, support[:, :way]], dim=-2)
        anchor = related[:, :1].expand(-1, groups.shape[1], -1, -1)
        matched = torch.cat([groups, related[:, 1:], anchor], dim=-2)
        return prototypes[:, :, None], matched.flatten(0, 1)

    def _attend(self, videos: Float[Tensor, "B V S F"]) -> Float[Tensor, "B V S F"]:
        """Attention of the frames of a step to each other."""
        steps = videos.transpose(1, 2)
        return self.relate(steps, steps).transpose(1, 2)


def by_part(
    differences: Mapping[str, tuple[Float[Tensor, "V ..."], Float[Tensor, "Q ..."]]],
) -> dict[str, Tensor]:
    """Auxiliary outputs for the loss Consistency, from those of support videos and queries."""
    parts = ("support", "query")
    return {
        f"{name}_{part}": value
        for name, values in differences.items()
        for part, value in zip(parts, values, strict=True)
    }
