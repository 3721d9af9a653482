"""Signed distances to the outlines of the shapes: negative inside, in units of the radius.

Only operations that the floating-point standard defines to the last bit are used here.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

Plane = Float32[np.ndarray, "..."]


def single(values: np.ndarray | Sequence[float] | Sequence[list[float]]) -> Plane:
    """Values as an array of single precision."""
    return np.asarray(values, dtype=np.float32)


def disc(x: Plane, y: Plane) -> Plane:
    """A full circle."""
    return np.sqrt(x * x + y * y) - np.float32(0.95)


def square(x: Plane, y: Plane) -> Plane:
    """A square."""
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.82)


def diamond(x: Plane, y: Plane) -> Plane:
    """A rhombus, longer along its first axis."""
    return (np.abs(x) + np.float32(1.55) * np.abs(y) - np.float32(1.2)) * np.float32(0.54)


def bar(x: Plane, y: Plane) -> Plane:
    """A flat rectangle."""
    return np.maximum(np.abs(x) - np.float32(1.15), np.abs(y) - np.float32(0.45))


def cross(x: Plane, y: Plane) -> Plane:
    """A plus sign."""
    across = np.maximum(np.abs(x) - np.float32(1.0), np.abs(y) - np.float32(0.38))
    along = np.maximum(np.abs(x) - np.float32(0.38), np.abs(y) - np.float32(1.0))
    return np.minimum(across, along)


def triangle(x: Plane, y: Plane) -> Plane:
    """A triangle with equal sides, pointing along its first axis."""
    return np.max(_sides(x, y, 3, 0.55, turned=True), axis=0)


def hexagon(x: Plane, y: Plane) -> Plane:
    """A hexagon."""
    return np.max(_sides(x, y, 6, 0.86, turned=False), axis=0)


def star(x: Plane, y: Plane) -> Plane:
    """A star with five points: inside at least four of five half-planes."""
    return np.sort(_sides(x, y, 5, 0.42, turned=True), axis=0)[-2]


def half_disc(x: Plane, y: Plane) -> Plane:
    """A circle cut in two."""
    shifted = x + np.float32(0.45)
    return np.maximum(np.sqrt(shifted * shifted + y * y) - np.float32(1.15), -shifted)


def _sides(x: Plane, y: Plane, count: int, distance: float, turned: bool) -> Plane:
    # Rounded on a grid, so that another machine's sine cannot change a pixel.
    angles = [(2 * i + turned) * math.pi / count for i in range(count)]
    normals = [(round(math.cos(a), 6), round(math.sin(a), 6)) for a in angles]
    return np.stack(
        [np.float32(c) * x + np.float32(s) * y - np.float32(distance) for c, s in normals]
    )


DISTANCES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "disc": disc,
    "square": square,
    "triangle": triangle,
    "diamond": diamond,
    "star": star,
    "cross": cross,
    "hexagon": hexagon,
    "half-disc": half_disc,
    "bar": bar,
}
