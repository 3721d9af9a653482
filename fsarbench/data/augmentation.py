"""Where a training crop lies and how its colours vary; one draw a clip, the same for all frames."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.runtime.random_stream import RandomStream

Box = tuple[int, int, int, int]


def centre_box(height: int, width: int, side: int) -> Box:
    """The top, left, height and width of a centred square of `side` pixels.

    Example:
        >>> centre_box(73, 100, 64)
        (4, 18, 64, 64)
    """
    return (height - side) // 2, (width - side) // 2, side, side


def random_box(height: int, width: int, side: int, chance: RandomStream) -> Box:
    """A square of `side` pixels at a random place."""
    return chance.integer(height - side + 1), chance.integer(width - side + 1), side, side


def scaled_box(height: int, width: int, scale: tuple[float, float], chance: RandomStream) -> Box:
    """A box at a random place that takes a random share of the area, its sides 3:4 to 4:3.

    Args:
        height: The frame's height in pixels.
        width: The frame's width in pixels.
        scale: The least and the largest share of the area.
        chance: Where the draws come from.
    """
    area = height * width * chance.uniform(*scale)
    ratio = math.exp(chance.uniform(math.log(3 / 4), math.log(4 / 3)))
    tall = min(height, max(1, round(math.sqrt(area / ratio))))
    wide = min(width, max(1, round(math.sqrt(area * ratio))))
    return chance.integer(height - tall + 1), chance.integer(width - wide + 1), tall, wide


def jittered(
    frames: Float[Tensor, "T 3 H W"], strength: float, chance: RandomStream
) -> Float[Tensor, "T 3 H W"]:
    """Brightness, contrast and saturation multiplied by factors from 1 - strength to 1 + strength.

    Args:
        frames: Values from 0 to 255; so are the results.
        strength: 0 for no change, below 1.
        chance: Where the draws come from.
    """
    bright, contrast, saturation = (chance.uniform(1 - strength, 1 + strength) for _ in range(3))
    frames = (frames * bright).clamp(0, 255)
    frames = _away_from(_grey(frames).mean(), frames, contrast)
    return _away_from(_grey(frames), frames, saturation)


def _grey(frames: Float[Tensor, "T 3 H W"]) -> Float[Tensor, "T 1 H W"]:
    # The luma weights of ITU-R BT.601, as in common image libraries.
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (frames * weights).sum(dim=1, keepdim=True)


def _away_from(
    anchor: Float[Tensor, "..."], frames: Float[Tensor, "T 3 H W"], factor: float
) -> Float[Tensor, "T 3 H W"]:
    return (anchor + factor * (frames - anchor)).clamp(0, 255)
