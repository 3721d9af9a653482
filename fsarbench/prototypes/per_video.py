"""Prototype builders that testing can ask for one video at a time."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import PrototypeBuilder


class PerVideoPrototypeBuilder(PrototypeBuilder):
    """A builder that makes of each class and of each query what no other one has a part in.

    Testing then asks for what a query becomes once a video, and not in each episode anew.
    """

    @abstractmethod
    def of_classes(
        self, support: Float[Tensor, "N K T D"], text: Float[Tensor, "N E"] | None
    ) -> Float[Tensor, "N P T D"]:
        """The prototypes of each class by itself."""

    @abstractmethod
    def of_queries(self, query: Float[Tensor, "Q T D"]) -> Float[Tensor, "Q T D"]:
        """What each query by itself is matched as."""

    def forward(
        self,
        support: Float[Tensor, "N K T D"],
        query: Float[Tensor, "Q T D"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P T D"], Float[Tensor, "Q T D"]]:
        """Prototypes that all queries share, and queries to match."""
        return self.of_classes(support, text)[None], self.of_queries(query)
