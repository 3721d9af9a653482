"""Multinomial logistic regression on the support set, by Newton's method."""

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_rules import PositiveFloat, PositiveInt
from fsarbench.functional.support_set import Normalise, Pooling, one_hot, vectors
from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class LogisticRegression(Matcher):
    """Multinomial logistic regression fitted in each episode on the support examples.

    Minimises the cross-entropy, summed over examples, plus half the squared weights over `c`; the
    intercept is not penalised. The weights of a class are a linear combination of the examples, so
    Newton's method is applied to one coefficient per example and class. It runs a fixed number of
    steps.

    Args:
        c: Inverse strength of the penalty, above 0.
        pooling: `mean` averages features over time, `flatten` concatenates the frames.
        normalise: `l2` divides the feature vector of a video by its norm, `none` leaves it.
        steps: Number of Newton steps, 1 or more.
        temperature: Divisor of the logits, above 0.

    Example:
        >>> LogisticRegression()(torch.ones(2, 8, 4), torch.ones(1, 5, 3, 8, 4)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        c: PositiveFloat = 1.0,
        pooling: Pooling = "mean",
        normalise: Normalise = "l2",
        steps: PositiveInt = 10,
        temperature: PositiveFloat = 1.0,
    ) -> None:
        super().__init__()
        self.c = c
        self.pooling = pooling
        self.normalise = normalise
        self.steps = steps
        self.temperature = temperature

    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Logits of the fitted classifier divided by the temperature."""
        way, shot = prototypes.shape[1:3]
        examples = vectors(prototypes, self.pooling, self.normalise).flatten(1, 2)
        points = vectors(query, self.pooling, self.normalise)[:, None]
        # Shifting all features does not change the result, because the intercept is not penalised.
        centre = examples.mean(1, keepdim=True)
        examples, points = examples - centre, points - centre
        targets = one_hot(way, shot, examples)
        gram = examples @ examples.transpose(-1, -2)
        logits = torch.zeros_like(targets).expand(len(gram), -1, -1)
        dual, intercept = logits, logits[:, 0]
        for _ in range(self.steps):
            dual, intercept = self._newton(gram, targets, logits)
            logits = gram @ dual + intercept[:, None]
        fitted = (points @ examples.transpose(-1, -2)) @ dual
        return (fitted[:, 0] + intercept) / self.temperature

    def _newton(
        self,
        gram: Float[Tensor, "B M M"],
        targets: Float[Tensor, "M N"],
        logits: Float[Tensor, "B M N"],
    ) -> tuple[Float[Tensor, "B M N"], Float[Tensor, "B N"]]:
        """Coefficients and intercepts after one step from the given logits.

        At the minimum, the coefficients are a = c (targets - p) with the probabilities p, and the
        coefficients of a class sum to 0. With the Gram matrix G of the examples, the intercepts b
        and the Hessian H, the linearisation around the logits f is
        a / c + H (G a + b) = targets - p + H f. Adding a constant to all intercepts does not change
        the probabilities, so the sum of the intercepts is set to 0.
        """
        examples, way = targets.shape
        p = logits.softmax(-1)
        eye = torch.eye(way, dtype=p.dtype, device=p.device)
        # Hessian of the cross-entropy of each example with respect to its logits.
        hessian = p[..., None] * eye - p[..., None] * p[..., None, :]
        right = targets - p + (hessian @ logits[..., None])[..., 0]
        size = examples * way
        matrix = torch.einsum("bmnk,bml->bmnlk", hessian, gram).flatten(3).flatten(1, 2)
        matrix = matrix + torch.eye(size, dtype=p.dtype, device=p.device) / self.c
        by_intercept = hessian.flatten(1, 2)
        sums = eye.repeat(1, examples).expand(len(p), -1, -1)
        top = torch.cat([matrix, by_intercept], dim=-1)
        bottom = torch.cat([sums, torch.ones_like(eye).expand(len(p), -1, -1)], dim=-1)
        zeros = torch.zeros_like(p[:, 0])
        system = torch.cat([top, bottom], dim=-2)
        solved = torch.linalg.solve(system, torch.cat([right.flatten(1), zeros], dim=-1)[..., None])
        return solved[:, :size, 0].unflatten(1, (examples, way)), solved[:, size:, 0]
