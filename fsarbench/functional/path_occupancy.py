"""Which frames a smoothed alignment goes through: the gradient of its cost."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def occupancy(
    cost: Callable[[Float[Tensor, "*B T S"]], Float[Tensor, "*B"]],
    distances: Float[Tensor, "*B T S"],
) -> Float[Tensor, "*B T S"]:
    """How often a path through the distances visits each cell, on the average over paths.

    A smoothed minimum over paths is a log of a sum of exponentials of their costs; its derivative
    by one distance is the share of the paths that go through that cell, each path with the weight
    that it has in the smoothed minimum (Cuturi and Blondel, ICML 2017).

    Args:
        cost: A smoothed alignment, such as `fsarbench.functional.otam.otam`.
        distances: Distances between frames.

    Example:
        >>> from fsarbench.functional.otam import otam
        >>> visits = occupancy(lambda d: otam(d, 0.01), 1 - torch.eye(3))
        >>> visits.argmax(0)  # the frame that each frame of the other video is aligned with
        tensor([0, 1, 2])
    """
    with torch.enable_grad():
        cells = distances.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(cost(cells).sum(), cells)
    return gradient
