"""Random inputs, and comparison of a component with its naive form, in float64."""

from collections.abc import Sequence

import torch
from torch import Tensor


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def assert_equal(got: Sequence[Tensor], want: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
    """Compare outputs, and the gradients of a weighted sum of them."""
    sums = []
    for outputs in (got, want):
        weighted = [(x * draw(*x.shape, seed=9).detach()).sum() for x in outputs]
        sums.append(torch.autograd.grad(torch.stack(weighted).sum(), inputs))
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    for a, b in zip(*sums, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)
