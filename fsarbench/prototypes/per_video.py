"""Base class of prototype builders whose outputs can be cached per video."""

from abc import abstractmethod
from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder


class PerVideoPrototypeBuilder(PrototypeBuilder):
    """Builder whose prototypes depend only on their own class, and query features on their query.

    Cached evaluation therefore computes the query features once per video, not once per episode.
    """

    @abstractmethod
    def class_prototypes(
        self, support: Float[Tensor, "N K S F"], text: Float[Tensor, "N M E"] | None
    ) -> Float[Tensor, "N P S F"]:
        """Prototypes of each class, independent of the other classes."""

    @abstractmethod
    def query_features(self, query: Float[Tensor, "Q S F"]) -> Float[Tensor, "Q S F"]:
        """Query features passed to the matcher, independent of the other queries."""

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> (
        tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]
        | tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"], Mapping[str, Tensor]]
    ):
        """Prototypes shared by all queries, and query features for the matcher."""
        return self.class_prototypes(support, text)[None], self.query_features(query)
