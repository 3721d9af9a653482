"""Textures, backgrounds and pixel noise.

Textures map coordinates on the object, in units of its radius, to the weight of the accent colour.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from fsarbench.data.synthetic.synthact.scene import Background
from fsarbench.data.synthetic.synthact.shapes import Plane, single
from fsarbench.runtime.random_stream import RandomStream

# Sharpness of texture edges, in inverse radii: about one pixel for an object of radius 8 pixels.
EDGE = np.float32(7.0)
HALF = np.float32(0.5)


def plain(x: Plane, y: Plane) -> Plane:
    """No accent colour."""
    return np.zeros_like(x)


def striped(x: Plane, y: Plane) -> Plane:
    """Stripes perpendicular to the first axis."""
    wave = np.abs(_wrapped(x * np.float32(1.4))) - np.float32(0.25)
    return _soft(wave)


def dotted(x: Plane, y: Plane) -> Plane:
    """Dots on a square grid."""
    u, v = _wrapped(x * np.float32(1.3)), _wrapped(y * np.float32(1.3))
    return _soft(np.float32(0.28) - np.sqrt(u * u + v * v))


def ringed(x: Plane, y: Plane) -> Plane:
    """A ring around the centre."""
    return _soft(np.float32(0.16) - np.abs(np.sqrt(x * x + y * y) - np.float32(0.45)))


def two_tone(x: Plane, y: Plane) -> Plane:
    """Accent colour on one half."""
    return _soft(y)


def spot(x: Plane, y: Plane) -> Plane:
    """Small off-centre mark on every object, which makes rotations visible."""
    dx = x - np.float32(0.45)
    return _soft(np.float32(0.24) - np.sqrt(dx * dx + y * y))


def _wrapped(plane: Plane) -> Plane:
    return plane - np.floor(plane) - HALF


def _soft(distance: Plane) -> Plane:
    return np.clip(distance * EDGE + HALF, np.float32(0.0), np.float32(1.0))


TEXTURES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "plain": plain,
    "striped": striped,
    "dotted": dotted,
    "ringed": ringed,
    "two-tone": two_tone,
}


Picture = Float32[np.ndarray, "side side 3"]


def backdrop(background: Background, side: int) -> Picture:
    """Image of the background, values from 0 to 1."""
    rng = RandomStream("backdrop", background.seed)
    weight = KINDS[background.kind](rng, side)[:, :, None]
    first, second = single(background.first), single(background.second)
    return first + (second - first) * weight


def noise(seed: int, frame: int, side: int) -> Picture:
    """Noise of one frame, triangularly distributed between -1 and 1."""
    count = side * side * 3
    bits = np.random.PCG64(np.random.SeedSequence([seed, frame]))
    raw = bits.random_raw(-(-2 * count // 8)).astype("<u8").view(np.uint8)[: 2 * count]
    total = raw[:count].astype(np.int32) + raw[count:].astype(np.int32) - 255
    return (total.astype(np.float32) / np.float32(255.0)).reshape(side, side, 3)


def _plain(rng: RandomStream, side: int) -> Plane:
    return np.zeros((side, side), np.float32)


def _gradient(rng: RandomStream, side: int) -> Plane:
    angle = rng.uniform(0.0, 2 * math.pi)
    across, down = round(math.cos(angle), 4), round(math.sin(angle), 4)
    y, x = _grid(side)
    return np.float32(0.5) + np.float32(0.7) * (x * np.float32(across) + y * np.float32(down))


def _checker(rng: RandomStream, side: int) -> Plane:
    cell = 6 + rng.integer(12)
    shift_x, shift_y = rng.integer(cell), rng.integer(cell)
    x = (np.arange(side) + shift_x) // cell
    y = (np.arange(side) + shift_y) // cell
    return ((x[None, :] + y[:, None]) % 2).astype(np.float32)


def _cloudy(rng: RandomStream, side: int) -> Plane:
    knots = 5
    values = single([[rng.uniform(-0.3, 1.3) for _ in range(knots)] for _ in range(knots)])
    position = np.arange(side, dtype=np.float32) * np.float32(knots - 1) / np.float32(side)
    left = position.astype(np.int64)
    weight = position - left.astype(np.float32)
    rows = values[left] + (values[left + 1] - values[left]) * weight[:, None]
    return rows[:, left] + (rows[:, left + 1] - rows[:, left]) * weight[None, :]


def _grid(side: int) -> tuple[Plane, Plane]:
    line = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    return line[:, None] - np.float32(0.5), line[None, :] - np.float32(0.5)


KINDS = {"plain": _plain, "gradient": _gradient, "checker": _checker, "cloudy": _cloudy}
