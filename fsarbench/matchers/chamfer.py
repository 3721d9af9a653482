"""Chamfer++: nearest clips in both directions, over all shots at once (arXiv 2303.16084)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat, PositiveInt
from fsarbench.explanation import MatchExplanation
from fsarbench.functional.hausdorff import nearest
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.functional.tuples import framewise, ordered_tuples, require_tuple_size, strongest
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS

Direction = Literal["both", "query", "support"]


@MATCHERS.register_module()
class Chamfer(Matcher):
    """Chamfer matching (Bertrand, Kalantidis and Tolias, arXiv 2303.16084).

    Every frame of one video takes its largest cosine with the frames of the other; the logit is the
    mean over frames, and the mean of both directions.

    Args:
        direction: `query` lets the frames of the query look for theirs, `support` those of the
            prototypes, `both` averages the two.
        joint: Whether a query's frame searches the frames of all P prototypes of a class together;
            otherwise each prototype is matched by itself and the similarities are averaged.
        tuple_size: The number of frames of a tuple. Above 1, ordered tuples of frames are matched,
            each the concatenation of its frames' features.
        temperature: What the similarity is divided by, above 0.
        frames: The number of frames T where it is known, to be checked against `tuple_size`.

    Raises:
        UserError: An argument is out of range.

    Example:
        >>> Chamfer()(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        direction: Direction = "both",
        joint: bool = True,
        tuple_size: PositiveInt = 1,
        temperature: PositiveFloat = 0.1,
        frames: PositiveInt | None = None,
    ) -> None:
        super().__init__()
        require_tuple_size("Chamfer", "tuple_size", tuple_size, tuple_size, frames)
        self.direction = direction
        self.joint = joint
        self.tuple_size = tuple_size
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Mean of the largest cosine similarities divided by the temperature."""
        cosines = self._matched(self._cosines(query, prototypes))
        directions = []
        if self.direction != "support":
            directions.append(cosines.amax(-1).mean(-1))
        if self.direction != "query":
            directions.append(cosines.amax(-2).mean(-1))
        return torch.stack(directions).mean(0).mean(-1) / self.temperature

    def explain(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> MatchExplanation:
        """Cosine similarities of frames, nearest frames or tuples, and strongest tuples."""
        cosines = self._cosines(query, prototypes)
        found = nearest(1 - self._matched(cosines), self.direction)
        shots, length = cosines.shape[2], cosines.shape[-1]
        # Back to one axis for the shots: "Q N U P U".
        pairs = found.transpose(2, 3).flatten(3).unflatten(-1, (shots, length))
        frames, size = query.shape[1], self.tuple_size
        weights = framewise(pairs, frames, size)
        links = strongest([(size, pairs)], frames) if size > 1 else {}
        caption = "nearest frames: how often a frame, or a tuple with it, was found by the other"
        return MatchExplanation(frame_cosines(query, prototypes), weights, caption, links)

    def _cosines(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N P U V"]:
        return frame_cosines(self._tuples(query), self._tuples(prototypes))

    def _matched(self, cosines: Float[Tensor, "Q N P U V"]) -> Float[Tensor, "Q N B U W"]:
        """Cosine similarities of each pair of compared sets; B pairs per class."""
        return cosines.transpose(2, 3).flatten(3)[:, :, None] if self.joint else cosines

    def _tuples(self, frames: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B U W"]:
        if self.tuple_size == 1:
            return frames
        chosen = torch.tensor(
            ordered_tuples(frames.shape[-2], self.tuple_size), device=frames.device
        )
        return frames[..., chosen, :].flatten(-2)
