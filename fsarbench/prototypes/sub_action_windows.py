"""Task-Adapter++: sub-action sentences aligned with windows of frames (arXiv 2505.06002)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.functional.text_scores import check_widths
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.registry import PROTOTYPES

Residual = Literal["next", "previous"]
Queries = Literal["together", "alone"]


@PROTOTYPES.register_module()
class SubActionWindows(PrototypeBuilder):
    """Visual prototype, and the sentences of sub-actions beside windows of a query's frames.

    The first step is the mean frame: of the shots of a class, and of a query. The other steps are
    the pairs of a stage of the action (sub-action) and a transition between two frames of the query
    in the window of that stage: the text of the stage in the prototype, the transition in the
    query. Three stages and the seven transitions of eight frames have the windows 1 to 3, 3 to 5
    and 5 to 7, as in the authors' code; other numbers have the windows of adaptive average pooling.
    The matcher is CosineProduct.

    A transition is a frame attended from the frame before it, plus a residual. The attention has
    one head and no parameters.

    Args:
        dim: Feature width D.
        stages: Stages of an action. Sentences in other number are averaged, in their order.
        residual: Frame that is added to the attended one: `next` as in the authors' code, or
            `previous`.
        queries: What a frame attends to: `together` as in the authors' code, the next frames of all
            queries of the episode; `alone` the next frame of its own query, which then is the
            attended one.
        norm: Whether the attended frame is normalised; the authors' code has it for SSv2-Full only.
        text_dim: Text feature width E, if known, to check it against `dim`.

    Raises:
        UserError: `text_dim` differs from `dim`.

    Example:
        >>> text = torch.ones(5, 3, 4)
        >>> support, query = torch.ones(5, 1, 8, 4), torch.ones(2, 8, 4)
        >>> prototypes, matched = SubActionWindows(4)(support, query, text)
        >>> prototypes.shape, matched.shape
        (torch.Size([1, 5, 1, 10, 4]), torch.Size([2, 10, 4]))
    """

    uses_text = True

    def __init__(
        self,
        dim: int,
        stages: PositiveInt = 3,
        residual: Residual = "next",
        queries: Queries = "together",
        norm: bool = False,
        text_dim: int | None = None,
    ) -> None:
        super().__init__()
        check_widths("SubActionWindows", dim, dim if text_dim is None else text_dim)
        self.stages, self.residual = stages, residual
        self.together = queries == "together"
        self.norm = nn.LayerNorm(dim) if norm else nn.Identity()

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S2 F"], Float[Tensor, "Q S2 F"]]:
        """One prototype per class, shared by all queries.

        Raises:
            UserError: `text` is None or its width differs from that of the features, or a video has
                one frame only.
        """
        if text is None:
            raise UserError(
                "SubActionWindows needs the text features of the classes: give the config a "
                "text_encoder, such as OrderedText."
            )
        if query.shape[1] < 2:
            raise UserError("SubActionWindows compares successive frames, but a video has one.")
        check_widths("SubActionWindows", support.shape[-1], text.shape[-1])
        pairs = [
            (stage, step)
            for stage, window in enumerate(bins(query.shape[1] - 1, self.stages))
            for step in window
        ]
        sentences = [text[:, list(own)].mean(1) for own in bins(text.shape[1], self.stages)]
        steps = self._transitions(query)
        classes = [support.mean((1, 2)), *(sentences[stage] for stage, _ in pairs)]
        videos = [query.mean(1), *(steps[:, step] for _, step in pairs)]
        return torch.stack(classes, dim=1)[None, :, None], torch.stack(videos, dim=1)

    def output_frames(self, frames: int) -> int:
        """The mean frame, and the pairs of a stage and a transition."""
        return 1 + sum(len(window) for window in bins(frames - 1, self.stages))

    def _transitions(self, query: Float[Tensor, "Q T D"]) -> Float[Tensor, "Q W D"]:
        """What each frame but the last attends to in the next frames, plus the residual."""
        previous, following = query[:, :-1], query[:, 1:]
        attended = following
        if self.together:
            first, second = previous.transpose(0, 1), following.transpose(0, 1)  # "W Q D"
            scores = first @ second.transpose(-1, -2) * query.shape[-1] ** -0.5
            attended = (scores.softmax(-1) @ second).transpose(0, 1)
        return self.norm(attended) + (following if self.residual == "next" else previous)


def bins(length: int, count: int) -> list[range]:
    """Windows of adaptive average pooling: `count` ranges that cover `length` elements in order.

    Example:
        >>> bins(7, 3), bins(1, 3)
        ([range(0, 3), range(2, 5), range(4, 7)], [range(0, 1), range(0, 1), range(0, 1)])
    """
    return [range(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
