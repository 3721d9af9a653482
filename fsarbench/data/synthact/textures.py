"""Where a texture's second colour shows: 0 to 1, over a thing's own coordinates."""

from collections.abc import Callable

import numpy as np

from fsarbench.data.synthetic.synthact.shapes import Plane

# The sharpness of a texture's edges, in inverse radii: about one pixel for a thing of 8 pixels.
EDGE = np.float32(7.0)
HALF = np.float32(0.5)


def plain(x: Plane, y: Plane) -> Plane:
    """Nowhere."""
    return np.zeros_like(x)


def striped(x: Plane, y: Plane) -> Plane:
    """Stripes across the first axis."""
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
    """One half."""
    return _soft(y)


def spot(x: Plane, y: Plane) -> Plane:
    """The small mark that every thing carries off its centre, so that its turning can be seen."""
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
