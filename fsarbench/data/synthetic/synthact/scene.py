"""Scene description of a clip: objects, background and noise."""

from dataclasses import dataclass

from fsarbench.data.synthetic.synthact.appearance import RGB, SIZES, Look
from fsarbench.data.synthetic.synthact.trajectories import Track
from fsarbench.runtime.random_stream import RandomStream

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
