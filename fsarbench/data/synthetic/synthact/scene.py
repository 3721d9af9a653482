"""Content of a clip: the appearance of its objects, the objects, and the background."""

from dataclasses import dataclass

from fsarbench.data.synthetic.synthact.trajectories import Track
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
# Radius as a fraction of the side of the frame. Only distractors are "tiny", so that they can be
# told from the objects of the action.
SIZES = {"tiny": 0.055, "small": 0.08, "medium": 0.1, "large": 0.12}
ACTOR_SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Look:
    """Appearance of an object: names of its properties, and its two colours.

    `base` is a variation of the named colour; `accent` is the second colour of the texture. Colours
    are red, green and blue from 0 to 1.
    """

    shape: str
    colour: str
    size: str
    texture: str
    base: RGB
    accent: RGB


def random_look(rng: RandomStream, sizes: tuple[str, ...] = ACTOR_SIZES) -> Look:
    """Sample a look with independent properties."""
    colour = rng.pick(tuple(COLOURS))
    base = _varied(COLOURS[colour], rng)
    pale = rng.happens(0.5)
    accent = _mixed(base, (1.0, 1.0, 1.0) if pale else (0.0, 0.0, 0.0), 0.5)
    return Look(
        shape=rng.pick(SHAPES),
        colour=colour,
        size=rng.pick(sizes),
        texture=rng.pick(TEXTURES),
        base=base,
        accent=accent,
    )


def _varied(rgb: RGB, rng: RandomStream) -> RGB:
    red, green, blue = (min(max(c + rng.uniform(-0.06, 0.06), 0.0), 1.0) for c in rgb)
    return red, green, blue


def _mixed(first: RGB, second: RGB, weight: float) -> RGB:
    red, green, blue = (a + (b - a) * weight for a, b in zip(first, second, strict=True))
    return red, green, blue


BACKGROUNDS = ("plain", "gradient", "checker", "cloudy")


@dataclass(frozen=True)
class Background:
    """Background: kind of pattern, two muted colours, and a seed for the pattern."""

    kind: str
    first: RGB
    second: RGB
    seed: int


@dataclass(frozen=True)
class Thing:
    """One object of a scene: look, track, and whether it is not part of the action."""

    look: Look
    track: Track
    distractor: bool = False

    def radius(self, frame: int) -> float:
        """Radius in a frame, as a fraction of the side of the frame."""
        return SIZES[self.look.size] * float(self.track.scale[frame])


@dataclass(frozen=True)
class Scene:
    """A clip before rendering: objects, background and pixel noise.

    `noise` is the maximum change of a pixel, as a fraction of full brightness. Objects are painted
    in the order of their depth; of two objects with equal depth, the later one is painted first.
    """

    things: tuple[Thing, ...]
    background: Background
    noise: float
    noise_seed: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.things[0].track.x)

    def back_to_front(self, frame: int) -> list[int]:
        """Indices of the objects in the order of painting."""
        keys = [(float(thing.track.depth[frame]), -i) for i, thing in enumerate(self.things)]
        return [-index for _, index in sorted(keys)]


def random_background(rng: RandomStream) -> Background:
    """Sample a background with muted colours and low contrast."""
    grey = rng.uniform(0.3, 0.8)
    first = _muted(rng, grey)
    step = rng.uniform(0.06, 0.16) * (1 if rng.happens(0.5) else -1)
    return Background(
        kind=rng.pick(BACKGROUNDS),
        first=first,
        second=_muted(rng, grey + step),
        seed=rng.integer(2**32),
    )


def _muted(rng: RandomStream, grey: float) -> RGB:
    red, green, blue = (grey + rng.uniform(-0.08, 0.08) for _ in range(3))
    return red, green, blue
