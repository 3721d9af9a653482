"""Random crops and colour jitter; one draw per clip, shared by all of its frames."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.runtime.random_stream import RandomStream

Box = tuple[int, int, int, int]


def centre_box(height: int, width: int, side: int) -> Box:
    """Top, left, height and width of a centred square of `side` pixels.

    Example:
        >>> centre_box(73, 100, 64)
        (4, 18, 64, 64)
    """
    return (height - side) // 2, (width - side) // 2, side, side


def random_box(height: int, width: int, side: int, rng: RandomStream) -> Box:
    """Square of `side` pixels at a random position."""
    return rng.integer(height - side + 1), rng.integer(width - side + 1), side, side


def scaled_box(height: int, width: int, scale: tuple[float, float], rng: RandomStream) -> Box:
    """Box of random position, area and aspect ratio (3:4 to 4:3), as in RandomResizedCrop.

    Args:
        height: Frame height in pixels.
        width: Frame width in pixels.
        scale: Minimum and maximum fraction of the frame area.
        rng: Random stream.
    """
    area = height * width * rng.uniform(*scale)
    ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    box_height = min(height, max(1, round(math.sqrt(area / ratio))))
    box_width = min(width, max(1, round(math.sqrt(area * ratio))))
    return (
        rng.integer(height - box_height + 1),
        rng.integer(width - box_width + 1),
        box_height,
        box_width,
    )


def jittered(
    frames: Float[Tensor, "T 3 H W"], strength: float, rng: RandomStream
) -> Float[Tensor, "T 3 H W"]:
    """Scale brightness, contrast and saturation by factors from 1 - strength to 1 + strength.

    Args:
        frames: Values from 0 to 255, as in the result.
        strength: Jitter strength, 0 (no change) to below 1.
        rng: Random stream.
    """
    bright, contrast, saturation = (rng.uniform(1 - strength, 1 + strength) for _ in range(3))
    frames = (frames * bright).clamp(0, 255)
    frames = _scaled_around(_grey(frames).mean(), frames, contrast)
    return _scaled_around(_grey(frames), frames, saturation)


def _grey(frames: Float[Tensor, "T 3 H W"]) -> Float[Tensor, "T 1 H W"]:
    # The luma weights of ITU-R BT.601, as in common image libraries.
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (frames * weights).sum(dim=1, keepdim=True)


def _scaled_around(
    anchor: Float[Tensor, "..."], frames: Float[Tensor, "T 3 H W"], factor: float
) -> Float[Tensor, "T 3 H W"]:
    return (anchor + factor * (frames - anchor)).clamp(0, 255)
