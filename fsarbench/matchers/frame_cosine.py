"""Base class of matchers whose scores follow from the cosines of frames."""

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher

# Episodes per product: their intermediate results fit into the cache of a CPU core.
GROUP = 16


class FrameCosineMatcher(Matcher):
    """Matcher that reads the cosines of a query's frames with the prototypes' frames, nothing else.

    Each query is scored by itself. Cached evaluation therefore scores the queries of many episodes
    in one call, without `torch.vmap`.

    Attributes:
        cosine_eps: Term added to the product of the norms in the cosine.
    """

    cosine_eps: float = 0.0

    @abstractmethod
    def score(self, cosines: Float[Tensor, "Q N P T S"]) -> Float[Tensor, "Q N"]:
        """Logits from the cosines of all pairs of frames; larger means more similar."""

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Logits from the features."""
        return self.score(frame_cosines(query, prototypes, self.cosine_eps))

    def score_episodes(
        self, query: Float[Tensor, "E Q S F"], prototypes: Float[Tensor, "E #Q N P S F"]
    ) -> Float[Tensor, "E Q N"]:
        """Logits of several episodes: one product for all cosines, then one axis of queries."""
        groups = zip(query.split(GROUP), prototypes.split(GROUP), strict=True)
        return torch.cat([self._score_group(*group) for group in groups])

    def _score_group(
        self, query: Float[Tensor, "E Q S F"], prototypes: Float[Tensor, "E #Q N P S F"]
    ) -> Float[Tensor, "E Q N"]:
        cosines = frame_cosines(query, prototypes, self.cosine_eps)
        # In memory the frames come first: matchers combine frames by operations on long vectors.
        frames_first = cosines.movedim((-2, -1), (0, 1)).flatten(2, 3)
        return self.score(frames_first.movedim((0, 1), (-2, -1))).unflatten(0, cosines.shape[:2])
