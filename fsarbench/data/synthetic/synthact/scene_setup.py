"""From an action and a number to a scene: every free choice that the action leaves open."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fsarbench.data.synthetic.synthact.actions import RECIPE, Action
from fsarbench.data.synthetic.synthact.appearance import SIZES, Look, random_look
from fsarbench.data.synthetic.synthact.motions import MOTIONS, Motion
from fsarbench.data.synthetic.synthact.scene import Scene, Thing, random_background
from fsarbench.data.synthetic.synthact.trajectories import Curve, Track, track
from fsarbench.runtime.random_stream import RandomStream

TURN = 2 * np.pi


@dataclass(frozen=True)
class Manner:
    """A course (the motion's time for the action's time) and an effect on every track.

    The effect also gets the action's and the motion's time, each from 0 to 1.
    """

    course: Callable[[Curve], Curve]
    effect: Callable[[Track, Curve, Curve], Track]


def evenly(s: Curve) -> Curve:
    """From start to end."""
    return s


def back(s: Curve) -> Curve:
    """To the end and back to the start."""
    return 1 - np.abs(2 * s - 1)


def faster(s: Curve) -> Curve:
    """Slowly, then quickly."""
    return s**2.6


def pausing(s: Curve) -> Curve:
    """To the half, a long rest, then to the end."""
    return np.interp(s, [0.0, 0.3, 0.7, 1.0], [0.0, 0.5, 0.5, 1.0])


def unchanged(track: Track, s: Curve, u: Curve) -> Track:
    """No effect."""
    return track


def growing(track: Track, s: Curve, u: Curve) -> Track:
    """Grow to three times the size."""
    return track.blended(scale=0.6 * 3.0**u)


def fading(track: Track, s: Curve, u: Curve) -> Track:
    """Fade away."""
    return track.blended(opacity=1 - u)


def blinking(track: Track, s: Curve, u: Curve) -> Track:
    """Vanish and come back, twice."""
    return track.blended(opacity=np.clip(0.5 + np.cos(2 * TURN * s), 0.0, 1.0))


def shaking(track: Track, s: Curve, u: Curve) -> Track:
    """Tremble to and fro on a slant, turning a little."""
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
    """How the stage lies in the frame: half its extent, centre, turn, and mirroring."""

    extent: float
    x: float
    y: float
    angle: float
    mirrored: bool

    def placed(self, staged: Track) -> Track:
        """A track on the stage as a track in the frame."""
        sign = -1.0 if self.mirrored else 1.0
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        across, down = sign * staged.x, staged.y
        return replace(
            staged,
            x=self.x + self.extent * (cos * across - sin * down),
            y=self.y + self.extent * (sin * across + cos * down),
            angle=sign * staged.angle,
        )


def scene(action: Action, index: int) -> Scene:
    """Clip number `index` of an action: a function of the recipe, the action's name, and it."""
    chance = RandomStream(RECIPE, action.name, index)
    motion = MOTIONS[action.motion]
    # Looks, background and noise come first, by the same law for every class.
    looks = _looks(chance, motion)
    background, noise = random_background(chance), chance.uniform(0.0, 0.06)
    layout = _layout(chance, motion)
    touch = 0.95 * sum(SIZES[look.size] for look in looks) / layout.extent
    tracks = _tracks(action, _course(chance), touch)
    angles = _start_angles(chance, motion)
    placed = [layout.placed(t).blended(angle=a) for t, a in zip(tracks, angles, strict=False)]
    things = [Thing(look, t) for look, t in zip(looks, placed, strict=False)]
    if chance.happens(0.5):
        things.append(_distractor(chance, placed))
    if action.backwards:
        things = [replace(thing, track=thing.track.backwards()) for thing in things]
    things = [replace(thing, track=thing.track.rounded()) for thing in things]
    return Scene(tuple(things), background, noise, chance.integer(2**32))


def _looks(chance: RandomStream, motion: Motion) -> list[Look]:
    first, second = random_look(chance), random_look(chance)
    return [first, first if motion.twins or chance.happens(0.2) else second]


def _layout(chance: RandomStream, motion: Motion) -> Layout:
    extent, margin = 0.34, 0.03
    if motion.room == "path":
        extent = chance.uniform(0.28, 0.34)
        margin = 0.39 - extent
    if motion.room == "spot":
        margin = 0.2
    x, y = (0.5 + chance.uniform(-margin, margin) for _ in range(2))
    free = motion.turn in ("spin", "any")
    angle = chance.uniform(-math.pi, math.pi) if free else chance.uniform(-0.12, 0.12)
    mirrored = motion.turn in ("mirror", "any") and chance.happens(0.5)
    return Layout(extent, x, y, angle, mirrored)


def _course(chance: RandomStream) -> Curve:
    """The action's time for every frame: a rest, an uneven course, a rest."""
    start, stop = chance.uniform(0.0, 0.18), chance.uniform(0.82, 1.0)
    time = np.clip((np.linspace(0.0, 1.0, FRAMES) - start) / (stop - start), 0.0, 1.0)
    return time + chance.uniform(-0.45, 0.45) * np.sin(2 * np.pi * time) / (2 * np.pi)


def _tracks(action: Action, course: Curve, touch: float) -> list[Track]:
    manner = MANNERS[action.manner]
    time = manner.course(course)
    paths = MOTIONS[action.motion].paths(time, touch)
    return [manner.effect(path, course, time) for path in paths]


def _start_angles(chance: RandomStream, motion: Motion) -> list[float]:
    first, second = (chance.uniform(-math.pi, math.pi) for _ in range(2))
    return [first, first if motion.twins else second]


def _distractor(chance: RandomStream, others: list[Track]) -> Thing:
    """A tiny thing behind all others, at rest or drifting slowly, away from the action."""
    look = random_look(chance, ("tiny",))
    spots = [(chance.uniform(0.08, 0.92), chance.uniform(0.08, 0.92)) for _ in range(12)]
    x, y = max(spots, key=lambda spot: _clearance(spot, others))
    drift = chance.uniform(0.05, 0.14) if chance.happens(0.5) else 0.0
    heading, angle = (chance.uniform(-math.pi, math.pi) for _ in range(2))
    time = np.linspace(-0.5, 0.5, FRAMES)
    dx, dy = drift * math.cos(heading), drift * math.sin(heading)
    lane = track(x + dx * time, y + dy * time, time, angle=angle, depth=-9.0)
    return Thing(look, lane, distractor=True)


def _clearance(spot: tuple[float, float], others: list[Track]) -> float:
    x, y = spot
    return min(float(np.min((t.x - x) ** 2 + (t.y - y) ** 2)) for t in others)
