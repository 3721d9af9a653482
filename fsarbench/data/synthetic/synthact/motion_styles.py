"""The manners in which a motion is done: its course in time, and what it goes along with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fsarbench.data.synthetic.synthact.trajectories import Curve, Track

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
