"""Random scene of an action: appearance, placement, speed and distractor."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fsarbench.data.synthetic.synthact.actions import RECIPE, Action
from fsarbench.data.synthetic.synthact.motions import MOTIONS, Motion
from fsarbench.data.synthetic.synthact.scene import (
    SIZES,
    Look,
    Scene,
    Thing,
    random_background,
    random_look,
)
from fsarbench.data.synthetic.synthact.trajectories import Curve, Track, track
from fsarbench.runtime.random_stream import RandomStream

TURN = 2 * np.pi


@dataclass(frozen=True)
class Manner:
    """Manner of a motion: its course over time, and an effect on every track.

    Attributes:
        course: Maps the time `s` of the action to the time `u` of the motion, both from 0 to 1.
        effect: Changes a track, given `s` and `u`.
    """

    course: Callable[[Curve], Curve]
    effect: Callable[[Track, Curve, Curve], Track]


def evenly(s: Curve) -> Curve:
    """Uniform speed."""
    return s


def back(s: Curve) -> Curve:
    """Forwards, then backwards."""
    return 1 - np.abs(2 * s - 1)


def faster(s: Curve) -> Curve:
    """Increasing speed."""
    return s**2.6


def pausing(s: Curve) -> Curve:
    """First half, a long pause, second half."""
    return np.interp(s, [0.0, 0.3, 0.7, 1.0], [0.0, 0.5, 0.5, 1.0])


def unchanged(track: Track, s: Curve, u: Curve) -> Track:
    """No effect."""
    return track


def growing(track: Track, s: Curve, u: Curve) -> Track:
    """Grow to three times the size."""
    return track.blended(scale=0.6 * 3.0**u)


def fading(track: Track, s: Curve, u: Curve) -> Track:
    """Fade out."""
    return track.blended(opacity=1 - u)


def blinking(track: Track, s: Curve, u: Curve) -> Track:
    """Disappear and reappear twice."""
    return track.blended(opacity=np.clip(0.5 + np.cos(2 * TURN * s), 0.0, 1.0))


def shaking(track: Track, s: Curve, u: Curve) -> Track:
    """Shake along the diagonal, with small rotations."""
    wave = np.sin(5 * TURN * s)
    return track.blended(dx=0.23 * wave, dy=0.23 * wave, angle=0.4 * wave)


MANNERS: dict[str, Manner] = {
    "plain": Manner(evenly, unchanged),
    "back": Manner(back, unchanged),
    "faster": Manner(faster, unchanged),
    "pausing": Manner(pausing, unchanged),
    "growing": Manner(evenly, growing),
    "fading": Manner(evenly, fading),
    "blinking": Manner(evenly, blinking),
    "shaking": Manner(evenly, shaking),
}


FRAMES = 32


@dataclass(frozen=True)
class Layout:
    """Placement of a motion in the frame: half extent, centre, rotation and mirroring."""

    extent: float
    x: float
    y: float
    angle: float
    mirrored: bool

    def placed(self, track: Track) -> Track:
        """Transform a track from motion coordinates to frame coordinates."""
        sign = -1.0 if self.mirrored else 1.0
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        across, down = sign * track.x, track.y
        return replace(
            track,
            x=self.x + self.extent * (cos * across - sin * down),
            y=self.y + self.extent * (sin * across + cos * down),
            angle=sign * track.angle,
        )


def scene(action: Action, index: int) -> Scene:
    """Scene of clip `index` of an action; depends only on the recipe, the action and the index."""
    rng = RandomStream(RECIPE, action.name, index)
    motion = MOTIONS[action.motion]
    # Looks, background and noise are sampled first, so that their distribution is the same for all
    # classes.
    looks = _looks(rng, motion)
    background, noise = random_background(rng), rng.uniform(0.0, 0.06)
    layout = _layout(rng, motion)
    touch = 0.95 * sum(SIZES[look.size] for look in looks) / layout.extent
    tracks = _tracks(action, _course(rng), touch)
    angles = _start_angles(rng, motion)
    placed = [layout.placed(t).blended(angle=a) for t, a in zip(tracks, angles, strict=False)]
    things = [Thing(look, t) for look, t in zip(looks, placed, strict=False)]
    if rng.happens(0.5):
        things.append(_distractor(rng, placed))
    if action.backwards:
        things = [replace(thing, track=thing.track.backwards()) for thing in things]
    things = [replace(thing, track=thing.track.rounded()) for thing in things]
    return Scene(tuple(things), background, noise, rng.integer(2**32))


def _looks(rng: RandomStream, motion: Motion) -> list[Look]:
    first, second = random_look(rng), random_look(rng)
    return [first, first if motion.twins or rng.happens(0.2) else second]


def _layout(rng: RandomStream, motion: Motion) -> Layout:
    extent, margin = 0.34, 0.03
    if motion.room == "path":
        extent = rng.uniform(0.28, 0.34)
        margin = 0.39 - extent
    if motion.room == "spot":
        margin = 0.2
    x, y = (0.5 + rng.uniform(-margin, margin) for _ in range(2))
    free = motion.turn in ("spin", "any")
    angle = rng.uniform(-math.pi, math.pi) if free else rng.uniform(-0.12, 0.12)
    mirrored = motion.turn in ("mirror", "any") and rng.happens(0.5)
    return Layout(extent, x, y, angle, mirrored)


def _course(rng: RandomStream) -> Curve:
    """Time of the action for every frame: pause, varying speed, pause."""
    start, stop = rng.uniform(0.0, 0.18), rng.uniform(0.82, 1.0)
    time = np.clip((np.linspace(0.0, 1.0, FRAMES) - start) / (stop - start), 0.0, 1.0)
    return time + rng.uniform(-0.45, 0.45) * np.sin(2 * np.pi * time) / (2 * np.pi)


def _tracks(action: Action, course: Curve, touch: float) -> list[Track]:
    manner = MANNERS[action.manner]
    time = manner.course(course)
    paths = MOTIONS[action.motion].paths(time, touch)
    return [manner.effect(path, course, time) for path in paths]


def _start_angles(rng: RandomStream, motion: Motion) -> list[float]:
    first, second = (rng.uniform(-math.pi, math.pi) for _ in range(2))
    return [first, first if motion.twins else second]


def _distractor(rng: RandomStream, others: list[Track]) -> Thing:
    """Tiny object behind all others, still or slowly drifting, away from the action."""
    look = random_look(rng, ("tiny",))
    spots = [(rng.uniform(0.08, 0.92), rng.uniform(0.08, 0.92)) for _ in range(12)]
    x, y = max(spots, key=lambda spot: _clearance(spot, others))
    drift = rng.uniform(0.05, 0.14) if rng.happens(0.5) else 0.0
    heading, angle = (rng.uniform(-math.pi, math.pi) for _ in range(2))
    time = np.linspace(-0.5, 0.5, FRAMES)
    dx, dy = drift * math.cos(heading), drift * math.sin(heading)
    path = track(x + dx * time, y + dy * time, time, angle=angle, depth=-9.0)
    return Thing(look, path, distractor=True)


def _clearance(spot: tuple[float, float], others: list[Track]) -> float:
    x, y = spot
    return min(float(np.min((t.x - x) ** 2 + (t.y - y) ** 2)) for t in others)
