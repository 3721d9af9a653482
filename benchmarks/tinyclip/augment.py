"""Batches of reflected and recoloured frames with matching geometry."""

from typing import NamedTuple

import numpy as np

from .facts import COLUMNS, NONE

X, Y, ANGLE, COLOUR = (COLUMNS.index(name) for name in ("x", "y", "angle", "colour"))


class Frames(NamedTuple):
    """Pixels uint8 "N S S 3", geometry "N O 9"; action and phase are -1 for free scenes."""

    pixels: np.ndarray
    geometry: np.ndarray
    action: np.ndarray
    phase: np.ndarray

    def take(self, rows: np.ndarray) -> "Frames":
        """The frames of these rows, as copies."""
        return Frames(*(part[rows] for part in self))


def augment(frames: Frames, generator: np.random.Generator) -> Frames:
    """Mirrors free scenes in one of eight ways, and swaps colour channels of half of all frames.

    Frames of named actions are not mirrored: their name would become false.
    """
    pixels, geometry = frames.pixels.copy(), frames.geometry.copy()
    free = frames.action < 0
    for mirror in (_across, _along, _diagonal):
        rows = np.flatnonzero(free & (generator.random(len(free)) < 0.5))
        pixels[rows], geometry[rows] = mirror(pixels[rows], geometry[rows])
    rows = np.flatnonzero(generator.random(len(free)) < 0.5)
    pixels[rows] = pixels[rows][..., generator.permutation(3)]
    geometry[rows, :, COLOUR] = NONE  # a colour without a name now
    return frames._replace(pixels=pixels, geometry=geometry)


def _across(pixels: np.ndarray, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    geometry[..., X] = 1 - geometry[..., X]
    geometry[..., ANGLE] = 180 - geometry[..., ANGLE]
    return pixels[:, :, ::-1], geometry


def _along(pixels: np.ndarray, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    geometry[..., Y] = 1 - geometry[..., Y]
    geometry[..., ANGLE] *= -1
    return pixels[:, ::-1], geometry


def _diagonal(pixels: np.ndarray, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    geometry[..., [X, Y]] = geometry[..., [Y, X]]
    geometry[..., ANGLE] = 90 - geometry[..., ANGLE]
    return pixels.swapaxes(1, 2), geometry
