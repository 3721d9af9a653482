"""Alpha-distance correlation (Szekely, Rizzo, Bakirov, Annals of Statistics 2007)."""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor


def alpha_distance_matrix(
    variables: Float[Tensor, "*B c M"], alpha: float, eps: float
) -> Float[Tensor, "*B c c"]:
    """Doubly centred matrix of the powers of distances between variables.

    The distance of two variables is the root of half the mean squared difference of their M
    observations. The cosine of two such matrices is the alpha-distance correlation.

    Args:
        variables: M observations of c variables.
        alpha: Power of the distance; with 2 the matrix depends on covariances only.
        eps: Term added to the squared distance, which keeps the gradient of a distance of 0 finite.

    Example:
        >>> rows = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
        >>> alpha_distance_matrix(rows, alpha=2.0, eps=0.0)
        tensor([[-1.,  1.],
                [ 1., -1.]])
    """
    with full_precision(variables.device):
        rows = variables.to(torch.promote_types(variables.dtype, torch.float32))
        products = rows @ rows.transpose(-1, -2) / (2 * rows.shape[-1])
        squares = products.diagonal(dim1=-2, dim2=-1)
        squared = squares.unsqueeze(-1) + squares.unsqueeze(-2) - 2 * products
        powers = (squared.clamp(min=0) + eps) ** (alpha / 2)
        row, column = powers.mean(-1, keepdim=True), powers.mean(-2, keepdim=True)
        return powers - row - column + powers.mean((-2, -1), keepdim=True)


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Context without autocast: differences of large products need all bits of the mantissa."""
    if device.type == "meta":  # there is no autocast on meta
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def upper_triangle(matrices: Float[Tensor, "*B c c"]) -> Float[Tensor, "*B m"]:
    """Entries on and above the diagonal, row by row; m = c (c + 1) / 2.

    Example:
        >>> upper_triangle(torch.tensor([[1, 2], [2, 3]]).float())
        tensor([1., 2., 3.])
    """
    size = matrices.shape[-1]
    rows, columns = torch.triu_indices(size, size, device=matrices.device)
    return matrices[..., rows, columns]


def without_token(features: Float[Tensor, "*B F"], token_width: int) -> Float[Tensor, "*B m"]:
    """Features without the class token in their last values; with a width of 0, all of them."""
    return features[..., : features.shape[-1] - token_width]


def token_of(features: Float[Tensor, "*B F"], token_width: int) -> Float[Tensor, "*B c"]:
    """Class token in the last values of features; with a width of 0, the whole features."""
    return features[..., features.shape[-1] - token_width :] if token_width else features
