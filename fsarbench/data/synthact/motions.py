"""The motions by name, and how each may be laid out in a frame."""

from collections.abc import Callable
from dataclasses import dataclass

from fsarbench.data.synthact import duo, solo
from fsarbench.data.synthact.tracks import Curve, Track

Paths = Callable[[Curve, float], tuple[Track, ...]]


@dataclass(frozen=True)
class Motion:
    """A motion and the freedom that does not change its meaning.

    `turn` is "none" (directions mean something), "mirror" (left and right may change places),
    "spin" (turned by any angle) or "any" (turned and mirrored). `room` is "path" (needs most of
    the frame), "edge" (starts outside the frame) or "spot" (small, so it may be anywhere).
    With `twins`, the second thing looks like the first.
    """

    paths: Paths
    things: int
    turn: str = "none"
    room: str = "path"
    twins: bool = False


MOTIONS: dict[str, Motion] = {
    "still": Motion(solo.still, 1, "any", "spot"),
    "right": Motion(solo.right, 1),
    "left": Motion(solo.left, 1),
    "up": Motion(solo.up, 1),
    "down": Motion(solo.down, 1),
    "rise": Motion(solo.rise, 1),
    "sink": Motion(solo.sink, 1),
    "roll": Motion(solo.roll, 1),
    "roll_down": Motion(solo.roll_down, 1),
    "circle": Motion(solo.circle, 1, "spin"),
    "square": Motion(solo.square, 1),
    "spiral": Motion(solo.spiral, 1, "any"),
    "eight": Motion(solo.eight, 1, "mirror"),
    "corner": Motion(solo.corner, 1),
    "zigzag": Motion(solo.zigzag, 1),
    "zigzag_up": Motion(solo.zigzag_up, 1, "mirror"),
    "hop": Motion(solo.hop, 1),
    "bounce": Motion(solo.bounce, 1, "mirror"),
    "pendulum": Motion(solo.pendulum, 1, "mirror"),
    "enter_left": Motion(solo.enter_left, 1, "none", "edge"),
    "enter_top": Motion(solo.enter_top, 1, "none", "edge"),
    "spin": Motion(solo.spin, 1, "spin", "spot"),
    "half_turn": Motion(solo.half_turn, 1, "any", "spot"),
    "grow": Motion(solo.grow, 1, "any", "spot"),
    "appear": Motion(solo.appear, 1, "any", "spot"),
    "flip": Motion(solo.flip, 1, "any", "spot"),
    "approach": Motion(duo.approach, 2, "any"),
    "swap": Motion(duo.swap, 2, "any"),
    "circle_pair": Motion(duo.circle_pair, 2, "spin"),
    "cover": Motion(duo.cover, 2, "any"),
    "push": Motion(duo.push, 2, "any"),
    "push_return": Motion(duo.push_return, 2, "any"),
    "stack": Motion(duo.stack, 2, "mirror"),
    "beside": Motion(duo.beside, 2, "mirror"),
    "orbit": Motion(duo.orbit, 2, "spin"),
    "pass_front": Motion(duo.pass_front, 2),
    "pass_behind": Motion(duo.pass_behind, 2),
    "bounce_off": Motion(duo.bounce_off, 2, "any"),
    "catch_up": Motion(duo.catch_up, 2, "any"),
    "seesaw": Motion(duo.seesaw, 2, "any"),
    "grow_both": Motion(duo.grow_both, 2, "any"),
    "follow": Motion(duo.follow, 2),
    "one_by_one": Motion(duo.one_by_one, 2, "mirror"),
    "crossing": Motion(duo.crossing, 2, "any"),
    "split": Motion(duo.split, 2, "any", twins=True),
    "jump_over": Motion(duo.jump_over, 2),
    "trade": Motion(duo.trade, 2, "any"),
    "hit": Motion(duo.hit, 2, "any"),
}
