"""Cosine similarities and distances between every query and every prototype."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def frame_cosines(
    query: Float[Tensor, "*E Q T D"], prototypes: Float[Tensor, "*E #Q N P S D"], eps: float = 0.0
) -> Float[Tensor, "*E Q N P T S"]:
    """Cosine similarity of every query frame with every prototype frame.

    The products of all frames are one matrix product; lengths are divided out afterwards, because
    there are fewer products than features.

    Args:
        query: Frame features of the queries; E are several episodes.
        prototypes: Frame features of the prototypes.
        eps: Term added to the product of the two norms; the code of CLIP-FSAR and related methods
            adds 0.01, which shrinks the similarities of short features.

    Example:
        >>> frame_cosines(torch.ones(2, 3, 4), torch.ones(1, 5, 1, 6, 4)).shape
        torch.Size([2, 5, 1, 3, 6])
        >>> frame_cosines(torch.ones(1, 1, 4), torch.ones(1, 1, 1, 1, 4), eps=1.0)  # 4 / (4 + 1)
        tensor([[[[[0.8000]]]]])
    """
    way, shots, steps = prototypes.shape[-4:-1]
    if prototypes.shape[-5] == 1:
        rows = query.flatten(-3, -2)
        cosines = row_cosines(rows, prototypes.flatten(-5, -2), eps)
        cosines = cosines.unflatten(-1, query.shape[-3:-1])  # "*E NPS Q T"
    else:
        cosines = row_cosines(query, prototypes.flatten(-4, -2), eps)  # "*E Q NPS T"
        cosines = cosines.movedim(-3, -2)
    split = cosines.unflatten(-3, (way, shots, steps))  # "*E N P S Q T"
    return split.movedim(-2, -5).transpose(-1, -2)


def row_cosines(
    rows: Float[Tensor, "*B I D"], columns: Float[Tensor, "*B J D"], eps: float = 0.0
) -> Float[Tensor, "*B J I"]:
    """Cosine similarities of two sets of features, x_i y_j / (|x_i| |y_j| + eps).

    Training takes gradients from `RowCosines`, which stores less than automatic differentiation.
    """
    if torch.is_grad_enabled():
        return RowCosines.apply(rows, columns, eps)
    return _row_cosines(rows, columns, eps)


# As in `torch.nn.functional.normalize`: the cosine of a zero vector is 0.
SHORTEST = 1e-12


def _lengths(features: Float[Tensor, "*B I D"]) -> Float[Tensor, "*B I"]:
    return torch.linalg.vector_norm(features, dim=-1).clamp(min=SHORTEST)


def _row_cosines(
    rows: Float[Tensor, "*B I D"], columns: Float[Tensor, "*B J D"], eps: float
) -> Float[Tensor, "*B J I"]:
    lengths = _lengths(columns)[..., None] * _lengths(rows)[..., None, :]
    if eps:
        lengths = lengths + eps
    return (columns @ rows.transpose(-1, -2)).div_(lengths)


class RowCosines(torch.autograd.Function):
    """Cosines c_ji of features x_i and y_j, with their gradient in closed form.

    With L_ji = |x_i| |y_j| + eps and W = (gradient of the loss by c) / L,

        dx_i = sum_j W_ji y_j - x_i / |x_i| sum_j W_ji c_ji |y_j|,

    and the same for y_j with the letters exchanged. Only the inputs and the cosines are stored.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(rows: Tensor, columns: Tensor, eps: float) -> Tensor:
        """Cosines."""
        return _row_cosines(rows, columns, eps)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, float], output: Tensor) -> None:
        """Store inputs and cosines."""
        rows, columns, ctx.eps = inputs
        ctx.save_for_backward(rows, columns, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients of both inputs."""
        rows, columns, cosines = ctx.saved_tensors
        row_lengths, column_lengths = _lengths(rows)[..., None, :], _lengths(columns)[..., None]
        weights = gradient / (row_lengths * column_lengths + ctx.eps)
        along = weights * cosines
        by_row = by_column = None
        if ctx.needs_input_grad[0]:
            share = (along * column_lengths).sum(-2, keepdim=True) / row_lengths
            by_row = weights.transpose(-1, -2) @ columns
            by_row = by_row.addcmul_(rows, share.transpose(-1, -2), value=-1)
        if ctx.needs_input_grad[1]:
            share = (along * row_lengths).sum(-1, keepdim=True) / column_lengths
            by_column = (weights @ rows).addcmul_(columns, share, value=-1)
        return by_row, by_column, None


def mean_cosines(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"], eps: float = 0.0
) -> Float[Tensor, "Q N P"]:
    """Cosine similarity of the time-averaged features; `eps` as in `frame_cosines`."""
    means = query.mean(1, keepdim=True), prototypes.mean(3, keepdim=True)
    return frame_cosines(*means, eps)[..., 0, 0]


def mean_distances(
    query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P S D"]
) -> Float[Tensor, "Q N P"]:
    """Squared Euclidean distance of the time-averaged features of queries and prototypes."""
    gap = query.mean(1)[:, None, None] - prototypes.mean(3)
    return gap.square().sum(-1)


def derivative(
    score: Callable[[Float[Tensor, "*B T S"]], Tensor], cells: Float[Tensor, "*B T S"]
) -> Float[Tensor, "*B T S"]:
    """Derivative of a score by the cell of each pair of frames, also where gradients are off.

    Args:
        score: Score of each match; the scores of different matches are independent.
        cells: Similarities or distances of frames.

    Example:
        >>> derivative(lambda c: c.diagonal(dim1=-2, dim2=-1).mean(-1), torch.zeros(1, 2, 2))
        tensor([[[0.5000, 0.0000],
                 [0.0000, 0.5000]]])
    """
    with torch.enable_grad():
        inputs = cells.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(score(inputs).sum(), inputs)
    return gradient
