"""A pen movement to frames: the pen, and the line that it leaves."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from fsarbench.runtime.random_stream import RandomStream

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """The looks of one video; lengths are shares of the side of a frame, colours from 0 to 1.

    `size` is the longer side of the drawing, `place` says where the free room is split, `paper` is
    the background at the top and at the bottom, and `noise` the deviation of the pixels.
    """

    size: float
    place: tuple[float, float]
    width: float
    tip: float
    ink: Colour
    pen: Colour
    paper: tuple[Colour, Colour]
    noise: float


def look(chance: RandomStream) -> Look:
    """A random look; ink and pen stand out from the paper."""
    top = _colour(chance)
    bottom = _near(top, chance)
    return Look(
        size=chance.uniform(0.5, 0.8),
        place=(chance.uniform(0.0, 1.0), chance.uniform(0.0, 1.0)),
        width=chance.uniform(0.02, 0.06),
        tip=chance.uniform(0.04, 0.07),
        ink=_apart(top, chance),
        pen=_apart(top, chance),
        paper=(top, bottom),
        noise=chance.uniform(0.0, 0.03),
    )


def _colour(chance: RandomStream) -> Colour:
    return chance.uniform(0.0, 1.0), chance.uniform(0.0, 1.0), chance.uniform(0.0, 1.0)


def _near(colour: Colour, chance: RandomStream) -> Colour:
    red, green, blue = (min(1.0, max(0.0, c + chance.uniform(-0.15, 0.15))) for c in colour)
    return red, green, blue


def _apart(colour: Colour, chance: RandomStream) -> Colour:
    while True:
        other = _colour(chance)
        if abs(_light(other) - _light(colour)) > 0.3:
            return other


def _light(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


FRAMES = 32
SIDE = 80
# Space around the drawing, as a share of the side, so that pen and line stay
# inside, also after a centre crop.
MARGIN = 0.1


def draw(way: Float64[np.ndarray, "2 P"], look: Look, seed: int) -> UInt8[np.ndarray, "T H W 3"]:
    """The frames of one recording, at equal steps of its time.

    Args:
        way: Where the pen is, x to the right and y upwards, in equal time steps.
        look: What everything looks like.
        seed: Of the pixel noise.
    """
    points = placed(way, look).astype(np.float32)
    ends = np.linspace(0, points.shape[1] - 1, FRAMES).round().astype(int)
    paper = _paper(look)
    nearest = np.full((SIDE, SIDE), np.inf, dtype=np.float32)
    frames = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        nearest = np.minimum(nearest, _distance(points[:, start : end + 1]))
        inked = _over(paper, look.ink, nearest - look.width / 2)
        tip = _distance(points[:, end : end + 1]) - look.tip
        frames.append(_over(_over(inked, look.ink, tip), look.pen, tip + 0.02))
    noise = _noise(seed, (FRAMES, SIDE, SIDE, 3)) * look.noise
    pixels = (np.stack(frames) + noise).clip(0, 1) * 255
    return pixels.round().astype(np.uint8)


def placed(way: Float64[np.ndarray, "2 P"], look: Look) -> Float64[np.ndarray, "2 P"]:
    """The movement inside the frame: from 0 to 1, y downwards, its proportions kept."""
    low = way.min(axis=1, keepdims=True)
    extent = way.max(axis=1, keepdims=True) - low
    scaled = (way - low) * (look.size / extent.max())
    room = 1 - 2 * MARGIN - extent * (look.size / extent.max())
    moved = scaled + MARGIN + room * np.array(look.place)[:, None]
    return np.stack([moved[0], 1 - moved[1]])


def _distance(points: Float32[np.ndarray, "2 P"]) -> Float32[np.ndarray, "H W"]:
    # Recorded points lie closer than a pixel, so that they need no line between them.
    grid = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    across = (grid[None, None, :] - points[0, :, None, None]) ** 2
    down = (grid[None, :, None] - points[1, :, None, None]) ** 2
    return np.sqrt((across + down).min(axis=0))


def _over(
    picture: Float32[np.ndarray, "H W 3"],
    colour: tuple[float, float, float],
    outside: Float32[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W 3"]:
    # The edge is one pixel soft.
    cover = (0.5 - outside * SIDE).clip(0, 1)[:, :, None]
    return picture + cover * (np.array(colour, dtype=np.float32) - picture)


def _paper(look: Look) -> Float32[np.ndarray, "H W 3"]:
    top, bottom = (np.array(colour, dtype=np.float32) for colour in look.paper)
    share = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    return np.broadcast_to(top + share * (bottom - top), (SIDE, SIDE, 3))


def _noise(seed: int, shape: tuple[int, ...]) -> Float32[np.ndarray, "T H W 3"]:
    # The sum of the four 16-bit parts of a raw number is close enough to a bell; numpy's own
    # normal numbers may change by version.
    raw = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(int(np.prod(shape)))
    parts = np.asarray(raw, dtype="<u8").view("<u2").reshape(*shape, 4)
    return (parts.astype(np.float32).sum(axis=-1) / 65536 - 2) * np.float32(np.sqrt(3))
