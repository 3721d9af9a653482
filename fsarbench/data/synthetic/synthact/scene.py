"""Everything that is to be seen in a clip, before it is drawn."""

from dataclasses import dataclass

from fsarbench.data.synthetic.synthact.appearance import RGB, SIZES, Look
from fsarbench.data.synthetic.synthact.trajectories import Track
from fsarbench.runtime.random_stream import RandomStream

BACKGROUNDS = ("plain", "gradient", "checker", "cloudy")


@dataclass(frozen=True)
class Background:
    """What lies behind all things: a kind, two muted colours, and a seed for its details."""

    kind: str
    first: RGB
    second: RGB
    seed: int


@dataclass(frozen=True)
class Thing:
    """One thing of a scene: its look, its track, and whether the action is about it."""

    look: Look
    track: Track
    distractor: bool = False

    def radius(self, frame: int) -> float:
        """The radius in this frame, as a share of the frame's side."""
        return SIZES[self.look.size] * float(self.track.scale[frame])


@dataclass(frozen=True)
class Scene:
    """A clip to be drawn: things, background, and pixel noise.

    `noise` is the greatest change of a pixel, as a share of full brightness. Things are painted in
    the order of their depth; among equals, a later one is painted first.
    """

    things: tuple[Thing, ...]
    background: Background
    noise: float
    noise_seed: int

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.things[0].track.x)

    def back_to_front(self, frame: int) -> list[int]:
        """The things' indices in the order in which this frame paints them."""
        keys = [(float(thing.track.depth[frame]), -i) for i, thing in enumerate(self.things)]
        return [-index for _, index in sorted(keys)]


def random_background(chance: RandomStream) -> Background:
    """A muted background, dark to bright, with a soft pattern."""
    grey = chance.uniform(0.3, 0.8)
    first = _muted(chance, grey)
    step = chance.uniform(0.06, 0.16) * (1 if chance.happens(0.5) else -1)
    return Background(
        kind=chance.pick(BACKGROUNDS),
        first=first,
        second=_muted(chance, grey + step),
        seed=chance.integer(2**32),
    )


def _muted(chance: RandomStream, grey: float) -> RGB:
    red, green, blue = (grey + chance.uniform(-0.08, 0.08) for _ in range(3))
    return red, green, blue
