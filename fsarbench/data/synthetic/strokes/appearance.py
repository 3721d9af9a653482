"""What a drawing looks like: everything here is free, and says nothing of the shape."""

from dataclasses import dataclass

from fsarbench.runtime.random_stream import Chance

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


def look(chance: Chance) -> Look:
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


def _colour(chance: Chance) -> Colour:
    return chance.uniform(0.0, 1.0), chance.uniform(0.0, 1.0), chance.uniform(0.0, 1.0)


def _near(colour: Colour, chance: Chance) -> Colour:
    red, green, blue = (min(1.0, max(0.0, c + chance.uniform(-0.15, 0.15))) for c in colour)
    return red, green, blue


def _apart(colour: Colour, chance: Chance) -> Colour:
    while True:
        other = _colour(chance)
        if abs(_light(other) - _light(colour)) > 0.3:
            return other


def _light(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
