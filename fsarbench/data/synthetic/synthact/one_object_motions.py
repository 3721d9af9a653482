"""Motions of one object, in coordinates from -1 to 1 with y downwards.

Arguments of each motion are its time `u` from 0 (start) to 1 (end), and the distance `touch` at
which two objects touch, which is not used here.
"""

import numpy as np

from fsarbench.data.synthetic.synthact.trajectories import Curve, Track, track

TURN = 2 * np.pi


def still(u: Curve, touch: float) -> tuple[Track, ...]:
    """Stay in place."""
    return (track(0.0, 0.0, u),)


def right(u: Curve, touch: float) -> tuple[Track, ...]:
    """From left to right."""
    return (track(2 * u - 1, 0.0, u),)


def up(u: Curve, touch: float) -> tuple[Track, ...]:
    """From bottom to top."""
    return (track(0.0, 1 - 2 * u, u),)


def left(u: Curve, touch: float) -> tuple[Track, ...]:
    """From right to left."""
    return (track(1 - 2 * u, 0.0, u),)


def down(u: Curve, touch: float) -> tuple[Track, ...]:
    """From top to bottom."""
    return (track(0.0, 2 * u - 1, u),)


def rise(u: Curve, touch: float) -> tuple[Track, ...]:
    """From bottom left to top right."""
    return (track(2 * u - 1, 1 - 2 * u, u),)


def sink(u: Curve, touch: float) -> tuple[Track, ...]:
    """From top left to bottom right."""
    return (track(2 * u - 1, 2 * u - 1, u),)


def roll(u: Curve, touch: float) -> tuple[Track, ...]:
    """From left to right, turning as a wheel does."""
    return (track(2 * u - 1, 0.0, u, angle=1.15 * TURN * u),)


def roll_down(u: Curve, touch: float) -> tuple[Track, ...]:
    """Down a slope to the right, turning as a wheel does."""
    return (track(2 * u - 1, 1.2 * u - 0.6, u, angle=1.15 * TURN * u),)


def circle(u: Curve, touch: float) -> tuple[Track, ...]:
    """Once round a circle, clockwise."""
    return (track(np.cos(TURN * u), np.sin(TURN * u), u),)


def square(u: Curve, touch: float) -> tuple[Track, ...]:
    """Once round a square, clockwise from the top left."""
    corners = [0.0, 0.25, 0.5, 0.75, 1.0]
    x = np.interp(u, corners, [-0.9, 0.9, 0.9, -0.9, -0.9])
    y = np.interp(u, corners, [-0.9, -0.9, 0.9, 0.9, -0.9])
    return (track(x, y, u),)


def spiral(u: Curve, touch: float) -> tuple[Track, ...]:
    """Inwards in one and a half turns."""
    reach = 1.1 - 1.05 * u
    return (track(reach * np.cos(1.5 * TURN * u), reach * np.sin(1.5 * TURN * u), u),)


def eight(u: Curve, touch: float) -> tuple[Track, ...]:
    """Once along a lying figure of eight."""
    return (track(1.1 * np.sin(TURN * u), 0.65 * np.sin(2 * TURN * u), u),)


def corner(u: Curve, touch: float) -> tuple[Track, ...]:
    """To the right along the bottom, then up."""
    x = np.interp(u, [0.0, 0.5, 1.0], [-0.95, 0.95, 0.95])
    y = np.interp(u, [0.0, 0.5, 1.0], [0.9, 0.9, -0.9])
    return (track(x, y, u),)


def zigzag(u: Curve, touch: float) -> tuple[Track, ...]:
    """From left to right with two sharp turns up and two down."""
    return (track(2 * u - 1, _teeth(u), u),)


def zigzag_up(u: Curve, touch: float) -> tuple[Track, ...]:
    """From bottom to top with sharp turns left and right."""
    return (track(_teeth(u), 1 - 2 * u, u),)


def hop(u: Curve, touch: float) -> tuple[Track, ...]:
    """From left to right in two hops."""
    return (track(2.2 * u - 1.1, 0.6 - 1.2 * np.abs(np.sin(TURN * u)), u),)


def bounce(u: Curve, touch: float) -> tuple[Track, ...]:
    """Fall to the ground and come to rest after two lower bounces."""
    fall, first, second = 1.4, 1.9, 1.2
    clock = u * (fall + first + second)
    heights = 1.9 * (1 - (clock / fall) ** 2)
    heights = np.where(clock > fall, _leap(clock - fall, first, 0.95), heights)
    heights = np.where(clock > fall + first, _leap(clock - fall - first, second, 0.4), heights)
    return (track(0.6 * u - 0.3, 0.95 - heights, u),)


def pendulum(u: Curve, touch: float) -> tuple[Track, ...]:
    """Swing three times below a point."""
    swing = 0.95 * np.cos(1.5 * TURN * u)
    return (track(1.3 * np.sin(swing), 1.5 * np.cos(swing) - 1.0, u, angle=-swing),)


def enter_left(u: Curve, touch: float) -> tuple[Track, ...]:
    """From outside on the left to the middle."""
    return (track(2.2 * u - 2.0, 0.0, u),)


def enter_top(u: Curve, touch: float) -> tuple[Track, ...]:
    """From outside at the top to the middle."""
    return (track(0.0, 2.2 * u - 2.0, u),)


def spin(u: Curve, touch: float) -> tuple[Track, ...]:
    """Turn clockwise on the spot."""
    return (track(0.0, 0.0, u, angle=0.95 * TURN * u),)


def half_turn(u: Curve, touch: float) -> tuple[Track, ...]:
    """Turn clockwise by half a turn."""
    return (track(0.0, 0.0, u, angle=0.5 * TURN * u),)


def grow(u: Curve, touch: float) -> tuple[Track, ...]:
    """Grow to three times the size on the spot."""
    return (track(0.0, 0.0, u, scale=0.65 * 3.1**u),)


def appear(u: Curve, touch: float) -> tuple[Track, ...]:
    """Fade in on the spot."""
    return (track(0.0, 0.0, u, opacity=u),)


def flip(u: Curve, touch: float) -> tuple[Track, ...]:
    """Flip once around a vertical axis."""
    width = np.cos(TURN * u)
    width = np.where(np.abs(width) < 0.08, np.where(width < 0, -0.08, 0.08), width)
    return (track(0.0, 0.0, u, width=width),)


def _teeth(u: Curve) -> Curve:
    return np.interp(
        u, [0.0, 0.125, 0.375, 0.625, 0.875, 1.0], [0.0, -0.65, 0.65, -0.65, 0.65, 0.0]
    )


def _leap(clock: Curve, length: float, height: float) -> Curve:
    share = np.clip(clock / length, 0.0, 1.0)
    return 4 * height * share * (1 - share)
