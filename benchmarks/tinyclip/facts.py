"""Facts about a frame: geometry as small integers that captions can name.

A frame holds up to `OBJECTS` things. `geometry` has one row a thing (see `COLUMNS`); a row whose
opacity is 0 is an empty place.
"""

from typing import NamedTuple

import numpy as np

OBJECTS = 4
COLUMNS = ("x", "y", "radius", "opacity", "angle", "depth", "shape", "colour", "texture")
HALVES, THIRDS, FIFTHS, EIGHTHS = 2, 3, 5, 8
GRIDS = (HALVES, THIRDS, FIFTHS, EIGHTHS)
FACETS = (
    *(f"{axis}{grid}" for grid in GRIDS for axis in "xy"),
    *("size", "opacity", "tilt", "shape", "colour", "texture", "edge"),
)
RELATIONS = ("beside", "over", "gap", "front", "larger")
AT = {name: i for i, name in enumerate(FACETS)}
ANY, NONE = -1, -2  # in a caption: does not matter; in a frame: equals nothing
SIZES = (0.07, 0.09, 0.115, 0.16)  # radius, in parts of the frame's width
CELLS = 8  # of the grid of `cover`
SHOWN = 0.08  # opacity below which a thing counts as gone


class Facts(NamedTuple):
    """Facets of each thing "N O F", relations of each ordered pair "N O O R", action and phase."""

    things: np.ndarray
    pairs: np.ndarray
    count: np.ndarray
    action: np.ndarray
    phase: np.ndarray


def facts(geometry: np.ndarray, action: np.ndarray, phase: np.ndarray) -> Facts:
    """The facts of N frames from their geometry "N O 9"."""
    shown = visible(geometry)
    return Facts(things(geometry, shown), pairs(geometry, shown), shown.sum(1), action, phase)


def visible(geometry: np.ndarray) -> np.ndarray:
    """Which things can be seen: not faded out, and their centre not far outside the frame."""
    centre = geometry[..., :2]
    inside = ((centre > -0.03) & (centre < 1.03)).all(-1)
    return inside & (geometry[..., 3] > SHOWN) & (geometry[..., 2] > 0.015)


def things(geometry: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Facets of every thing, `NONE` where there is none."""
    x, y, radius, opacity, angle, _, shape, colour, texture = np.moveaxis(geometry, -1, 0)
    cells = [np.clip(c * g, 0, g - 1).astype(int) for g in GRIDS for c in (x, y)]
    size = np.digitize(radius, SIZES)
    opaque = np.digitize(opacity, (0.45, 0.8))
    tilt = np.floor(angle / 90 + 0.5) % 4
    columns = [*cells, size, opaque, tilt, shape, colour, texture, edges(x, y, radius)]
    return np.where(shown[..., None], np.stack(columns, -1), NONE).astype(int)


def edges(x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Which edge cuts a thing: 0 left, 1 right, 2 top, 3 bottom, `NONE`."""
    beyond = np.stack([radius - x, x + radius - 1, radius - y, y + radius - 1], -1)
    return np.where(beyond.max(-1) > 0.02, beyond.argmax(-1), NONE)


def pairs(geometry: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Relations of the first to the second of every ordered pair, `NONE` where one is missing."""
    first, second = geometry[:, :, None], geometry[:, None]
    dx, dy = first[..., 0] - second[..., 0], first[..., 1] - second[..., 1]
    sides = [np.digitize(d, (-0.1, 0.1)) for d in (dx, dy)]
    distance = np.hypot(dx, dy)
    reach = first[..., 2] + second[..., 2]
    gap = np.digitize(distance - reach * 0.9, (-0.09, 0.03, 0.22))
    gap = np.where(distance < 0.45 * reach, 0, np.maximum(gap, 1))
    depth = np.where(gap < 2, (first[..., 5] > second[..., 5]).astype(int), NONE)
    larger = np.digitize(
        np.log(first[..., 2] / np.maximum(second[..., 2], 1e-6) + 1e-6), (-0.2, 0.2)
    )
    both = (shown[:, :, None] & shown[:, None]) & ~np.eye(geometry.shape[1], dtype=bool)
    stacked = np.stack([*sides, gap, depth, larger], -1)
    return np.where(both[..., None], stacked, NONE).astype(int)


def cover(geometry: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """How much of each cell of a grid things cover, "N cells*cells": edges are soft."""
    middle = (np.arange(cells) + 0.5) / cells
    dx = middle[None, None, None, :] - geometry[:, :, 0, None, None]
    dy = middle[None, None, :, None] - geometry[:, :, 1, None, None]
    reach = geometry[:, :, 2, None, None] + 0.06 - np.hypot(dx, dy)
    covered = np.clip(reach / 0.12, 0, 1) * geometry[:, :, 3, None, None]
    return covered.max(1).reshape(len(geometry), -1).astype(np.float32)
