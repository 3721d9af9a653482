"""How a thing looks: the words for it, and their values."""

from dataclasses import dataclass

from fsarbench.runtime.random_stream import RandomStream

RGB = tuple[float, float, float]

SHAPES = (
    "disc", "square", "triangle", "diamond", "star", "cross", "hexagon", "half-disc", "bar",
)  # fmt: skip
TEXTURES = ("plain", "striped", "dotted", "ringed", "two-tone")
COLOURS: dict[str, RGB] = {
    "red": (0.86, 0.12, 0.13),
    "orange": (0.98, 0.55, 0.08),
    "yellow": (0.97, 0.89, 0.15),
    "green": (0.13, 0.65, 0.22),
    "cyan": (0.15, 0.82, 0.85),
    "blue": (0.14, 0.28, 0.87),
    "purple": (0.52, 0.16, 0.72),
    "pink": (0.98, 0.52, 0.74),
    "white": (0.96, 0.96, 0.94),
    "brown": (0.45, 0.26, 0.12),
}
# The radius as a share of the frame's side. "tiny" is kept for distractors, so that a person can
# always tell which things the action is about.
SIZES = {"tiny": 0.055, "small": 0.08, "medium": 0.1, "large": 0.12}
ACTOR_SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Look:
    """The words for a thing's appearance, and the two colours it is painted with.

    `base` is the colour word's colour, a little varied; `accent` is the texture's second colour.
    Colours are red, green and blue from 0 to 1.
    """

    shape: str
    colour: str
    size: str
    texture: str
    base: RGB
    accent: RGB


def random_look(chance: RandomStream, sizes: tuple[str, ...] = ACTOR_SIZES) -> Look:
    """A look with every property drawn by itself."""
    colour = chance.pick(tuple(COLOURS))
    base = _varied(COLOURS[colour], chance)
    pale = chance.happens(0.5)
    accent = _mixed(base, (1.0, 1.0, 1.0) if pale else (0.0, 0.0, 0.0), 0.5)
    return Look(
        shape=chance.pick(SHAPES),
        colour=colour,
        size=chance.pick(sizes),
        texture=chance.pick(TEXTURES),
        base=base,
        accent=accent,
    )


def _varied(rgb: RGB, chance: RandomStream) -> RGB:
    red, green, blue = (min(max(part + chance.uniform(-0.06, 0.06), 0.0), 1.0) for part in rgb)
    return red, green, blue


def _mixed(one: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue
