"""Base class of prototype builders whose outputs can be cached per video."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder


class PerVideoPrototypeBuilder(PrototypeBuilder):
    """Builder whose prototypes depend only on their own class, and query features on their query.

    Cached evaluation therefore computes the query features once per video, not once per episode.
    """

    @abstractmethod
    def of_classes(
        self, support: Float[Tensor, "N K T D"], text: Float[Tensor, "N E"] | None
    ) -> Float[Tensor, "N P T D"]:
        """Prototypes of each class, independent of the other classes."""

    @abstractmethod
    def of_queries(self, query: Float[Tensor, "Q T D"]) -> Float[Tensor, "Q T D"]:
        """Query features passed to the matcher, independent of the other queries."""

    def forward(
        self,
        support: Float[Tensor, "N K T D"],
        query: Float[Tensor, "Q T D"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P T D"], Float[Tensor, "Q T D"]]:
        """Prototypes shared by all queries, and query features for the matcher."""
        return self.of_classes(support, text)[None], self.of_queries(query)
