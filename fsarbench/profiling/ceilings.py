"""What a device can do at the most: a large matrix product, a large copy, measured here and now."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.profiling.timing import time_runs

# Large enough to fill the device, small enough for its memory and for some seconds of patience.
SIDE = {"cuda": 8192, "cpu": 1024}
COPIED = {"cuda": 2**30, "cpu": 2**27}


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """The best that was measured.

    Attributes:
        product: Operations a second of a square matrix product.
        copy: Bytes a second of a copy, read and written ones added.
        dtype: The type of the product's numbers.
    """

    product: float
    copy: float
    dtype: str


def measure_ceilings(device: torch.device, half: bool, repeats: int = 10) -> Ceilings:
    """Both ceilings, by the fastest half of the repeats."""
    dtype = torch.bfloat16 if half else torch.float32
    side = SIDE.get(device.type, 1024)
    left = torch.randn(side, side, device=device, dtype=dtype)
    product = time_runs(lambda: left @ left, device, repeats).low
    source = torch.zeros(COPIED.get(device.type, 2**27), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = time_runs(lambda: target.copy_(source), device, repeats).low
    return Ceilings(
        product=2 * side**3 / product,
        copy=2 * source.numel() / copy,
        dtype=str(dtype).removeprefix("torch."),
    )


def product_at_shapes(rows: int, width: int, inner: int, device: torch.device, half: bool) -> float:
    """Operations a second of the four products of a transformer block, nothing between them.

    Args:
        rows: Tokens of all frames of a call.
        width: Token width.
        inner: Width inside the MLP.
        device: Where.
        half: In bf16.
    """
    dtype = torch.bfloat16 if half else torch.float32
    shapes = [(width, 3 * width), (width, width), (width, inner), (inner, width)]
    pairs: list[tuple[Tensor, Tensor]] = [
        (
            torch.randn(rows, taken, device=device, dtype=dtype),
            torch.randn(given, taken, device=device, dtype=dtype),
        )
        for taken, given in shapes
    ]
    seconds = time_runs(lambda: [F.linear(*pair) for pair in pairs], device, repeats=5).low
    return sum(2 * rows * taken * given for taken, given in shapes) / seconds
