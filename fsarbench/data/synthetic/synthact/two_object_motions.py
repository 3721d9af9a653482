"""Motions of two objects, in coordinates from -1 to 1 with y downwards.

Arguments of each motion are its time `u` from 0 (start) to 1 (end), and the distance `touch`
between the centres at which the two objects touch.
"""

import numpy as np

from fsarbench.data.synthetic.synthact.trajectories import Curve, Track, track

TURN = 2 * np.pi


def approach(u: Curve, touch: float) -> tuple[Track, ...]:
    """The objects approach each other until they touch."""
    x = touch / 2 + (1.05 - touch / 2) * (1 - u)
    return track(-x, 0.0, u), track(x, 0.0, u)


def swap(u: Curve, touch: float) -> tuple[Track, ...]:
    """The objects exchange positions and pass around each other."""
    x, y = np.cos(TURN * u / 2), 0.6 * np.sin(TURN * u / 2)
    return track(-x, -y, u), track(x, y, u)


def circle_pair(u: Curve, touch: float) -> tuple[Track, ...]:
    """Both move once around their common centre, clockwise."""
    x, y = 0.85 * np.cos(TURN * u), 0.85 * np.sin(TURN * u)
    return track(x, y, u), track(-x, -y, u)


def cover(u: Curve, touch: float) -> tuple[Track, ...]:
    """A large object moves in front of a small one and hides it."""
    first = track(-1.1 + 1.6 * u, 0.0, u, scale=1.5, depth=1.0)
    return first, track(0.5, 0.0, u, scale=0.7)


def push(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object pushes the other."""
    x = -1.2 + (2.4 - touch) * u
    return track(x, 0.0, u), track(np.maximum(-0.1, x + touch), 0.0, u)


def push_return(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object pushes the other and returns alone."""
    x = -1.2 + (2.4 - touch) * np.interp(u, [0.0, 0.55, 1.0], [0.0, 1.0, 0.0])
    onwards = -1.2 + (2.4 - touch) * np.interp(u, [0.0, 0.55], [0.0, 1.0])
    return track(x, 0.0, u), track(np.maximum(-0.1, onwards + touch), 0.0, u)


def stack(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object moves in an arc onto the top of the other."""
    rest = 0.75 - touch
    x, y = np.sin(TURN * u / 4) - 1, rest - (rest + 0.95) * np.cos(TURN * u / 4)
    return track(1.15 * x + 0.2, y, u), track(0.2, 0.75, u)


def beside(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object moves down diagonally and stops next to the other."""
    start, rest = -1.1, 0.65 - touch
    return track(start + (rest - start) * u, 1.5 * u - 0.9, u), track(0.65, 0.6, u)


def orbit(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object moves once around the other, clockwise."""
    x, y = 1.0 * np.cos(TURN * u), 1.0 * np.sin(TURN * u)
    return track(x, y, u), track(0.0, 0.0, u)


def pass_front(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object moves from left to right in front of the other."""
    return track(2.3 * u - 1.15, 0.0, u, depth=1.0), track(0.0, 0.0, u)


def pass_behind(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object moves from left to right behind the other."""
    return track(2.3 * u - 1.15, 0.0, u, depth=-1.0), track(0.0, 0.0, u)


def bounce_off(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object hits the other, which stays in place, and bounces back."""
    x = -1.1 + (1.8 - touch) * (1 - np.abs(2 * u - 1))
    return track(x, 0.0, u), track(0.7, 0.0, u)


def catch_up(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object catches up with a slower one."""
    lead = 1.1 * u
    gap = 1.3 * (1 - u) + touch * u
    return track(lead - gap, 0.0, u), track(lead, 0.0, u)


def seesaw(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object grows while the other shrinks."""
    big = 0.6 * 2.8**u
    return track(-0.8, 0.0, u, scale=big), track(0.8, 0.0, u, scale=0.6 * 2.8 / (big / 0.6))


def grow_both(u: Curve, touch: float) -> tuple[Track, ...]:
    """Both grow on the spot."""
    big = 0.6 * 2.7**u
    return track(-0.85, 0.0, u, scale=big), track(0.85, 0.0, u, scale=big)


def follow(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object follows the other from left to right at a constant distance."""
    return track(1.25 * u - 1.2, 0.0, u), track(1.25 * u - 0.05, 0.0, u)


def one_by_one(u: Curve, touch: float) -> tuple[Track, ...]:
    """Side by side, first one object moves down, then the other."""
    first, second = np.clip(2 * u, 0.0, 1.0), np.clip(2 * u - 1, 0.0, 1.0)
    return track(-0.6, 2 * first - 1, u), track(0.6, 2 * second - 1, u)


def crossing(u: Curve, touch: float) -> tuple[Track, ...]:
    """Both move straight at a right angle; one passes in front of the other."""
    return track(2 * u - 1, 0.0, u, depth=1.0), track(0.0, 2 * u - 1, u)


def split(u: Curve, touch: float) -> tuple[Track, ...]:
    """One large object splits into two smaller ones that move apart."""
    scale = 1.4 - 0.6 * u
    return track(-0.95 * u, 0.0, u, scale=scale), track(0.95 * u, 0.0, u, scale=scale)


def jump_over(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object jumps from left to right over the other."""
    return track(2.3 * u - 1.15, 0.6 - 1.5 * np.sin(TURN * u / 2), u), track(0.0, 0.6, u)


def trade(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object fades out while another fades in."""
    return track(-0.65, 0.0, u, opacity=1 - u), track(0.65, 0.0, u, opacity=u)


def hit(u: Curve, touch: float) -> tuple[Track, ...]:
    """One object hits the other and stops; the other moves on."""
    x = -1.15 + (1.15 - touch) * np.clip(2 * u, 0.0, 1.0)
    return track(x, 0.0, u), track(1.1 * np.clip(2 * u - 1, 0.0, 1.0), 0.0, u)
