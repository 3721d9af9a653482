"""Signed distances to the outlines of shapes: negative inside, in units of the radius.

Only operations with exactly defined IEEE 754 results are used, so that all machines render equal
frames.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

Plane = Float32[np.ndarray, "..."]


def single(values: np.ndarray | Sequence[float] | Sequence[list[float]]) -> Plane:
    """Convert to float32."""
    return np.asarray(values, dtype=np.float32)


def disc(x: Plane, y: Plane) -> Plane:
    """Disc."""
    return np.sqrt(x * x + y * y) - np.float32(0.95)


def square(x: Plane, y: Plane) -> Plane:
    """Square."""
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.82)


def diamond(x: Plane, y: Plane) -> Plane:
    """Rhombus, longer along its first axis."""
    return (np.abs(x) + np.float32(1.55) * np.abs(y) - np.float32(1.2)) * np.float32(0.54)


def bar(x: Plane, y: Plane) -> Plane:
    """Flat rectangle."""
    return np.maximum(np.abs(x) - np.float32(1.15), np.abs(y) - np.float32(0.45))


def cross(x: Plane, y: Plane) -> Plane:
    """Plus sign."""
    across = np.maximum(np.abs(x) - np.float32(1.0), np.abs(y) - np.float32(0.38))
    along = np.maximum(np.abs(x) - np.float32(0.38), np.abs(y) - np.float32(1.0))
    return np.minimum(across, along)


def triangle(x: Plane, y: Plane) -> Plane:
    """Equilateral triangle that points along its first axis."""
    return np.max(_sides(x, y, 3, 0.55, turned=True), axis=0)


def hexagon(x: Plane, y: Plane) -> Plane:
    """Hexagon."""
    return np.max(_sides(x, y, 6, 0.86, turned=False), axis=0)


def star(x: Plane, y: Plane) -> Plane:
    """Five-pointed star: the points inside at least four of five half-planes."""
    return np.sort(_sides(x, y, 5, 0.42, turned=True), axis=0)[-2]


def half_disc(x: Plane, y: Plane) -> Plane:
    """Half disc."""
    shifted = x + np.float32(0.45)
    return np.maximum(np.sqrt(shifted * shifted + y * y) - np.float32(1.15), -shifted)


def _sides(x: Plane, y: Plane, count: int, distance: float, turned: bool) -> Plane:
    # Rounded, because sine and cosine may differ in the last bit between machines.
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
