"""Ridge regression on the labels of the support set, in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat
from fsarbench.functional.support_set import Normalise, Pooling, one_hot, vectors
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class Ridge(Matcher):
    """Ridge regression fitted in each episode on the support examples (the P prototypes).

    The targets are 1 for the class of an example and 0 for the others; the intercept is not
    penalised. Solved in the dual form, which is small: one equation for each example.

    Args:
        penalty: The factor of the squared weights, above 0.
        pooling: `mean` averages features over time, `flatten` concatenates the frames.
        normalise: `l2` divides the feature vector of a video by its norm, `none` leaves it.
        intercept: Whether an intercept is fitted.
        temperature: What the predicted targets are divided by, above 0.

    Example:
        >>> Ridge()(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        penalty: PositiveFloat = 1.0,
        pooling: Pooling = "mean",
        normalise: Normalise = "l2",
        intercept: bool = True,
        temperature: PositiveFloat = 1.0,
    ) -> None:
        super().__init__()
        self.penalty = penalty
        self.pooling = pooling
        self.normalise = normalise
        self.intercept = intercept
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Predicted targets divided by the temperature."""
        way, shot = prototypes.shape[1:3]
        examples = vectors(prototypes, self.pooling, self.normalise).flatten(1, 2)
        points = vectors(query, self.pooling, self.normalise)[:, None]
        targets = one_hot(way, shot, examples)
        offset = torch.zeros_like(targets[0])
        if self.intercept:
            centre, offset = examples.mean(1, keepdim=True), targets.mean(0)
            examples, points, targets = examples - centre, points - centre, targets - offset
        gram = examples @ examples.transpose(-1, -2)
        eye = torch.eye(way * shot, dtype=gram.dtype, device=gram.device)
        dual = torch.linalg.solve(gram + self.penalty * eye, targets.expand(len(gram), -1, -1))
        predicted = (points @ examples.transpose(-1, -2)) @ dual
        return (predicted[:, 0] + offset) / self.temperature
