"""All motions by name, with their allowed placements in the frame."""

from collections.abc import Callable
from dataclasses import dataclass

from fsarbench.data.synthetic.synthact import one_object_motions, two_object_motions
from fsarbench.data.synthetic.synthact.trajectories import Curve, Track

Paths = Callable[[Curve, float], tuple[Track, ...]]


@dataclass(frozen=True)
class Motion:
    """A motion, and the transformations that do not change its class.

    Attributes:
        paths: Function that returns the tracks of the objects.
        things: Number of objects.
        turn: Allowed transformations: "none", "mirror" (left and right), "spin" (any rotation), or
            "any" (rotation and mirroring).
        room: Space of the motion: "path" (most of the frame), "edge" (starts outside the frame), or
            "spot" (small, so that it may be anywhere).
        twins: Whether the second object looks like the first.
    """

    paths: Paths
    things: int
    turn: str = "none"
    room: str = "path"
    twins: bool = False


MOTIONS: dict[str, Motion] = {
    "still": Motion(one_object_motions.still, 1, "any", "spot"),
    "right": Motion(one_object_motions.right, 1),
    "left": Motion(one_object_motions.left, 1),
    "up": Motion(one_object_motions.up, 1),
    "down": Motion(one_object_motions.down, 1),
    "rise": Motion(one_object_motions.rise, 1),
    "sink": Motion(one_object_motions.sink, 1),
    "roll": Motion(one_object_motions.roll, 1),
    "roll_down": Motion(one_object_motions.roll_down, 1),
    "circle": Motion(one_object_motions.circle, 1, "spin"),
    "square": Motion(one_object_motions.square, 1),
    "spiral": Motion(one_object_motions.spiral, 1, "any"),
    "eight": Motion(one_object_motions.eight, 1, "mirror"),
    "corner": Motion(one_object_motions.corner, 1),
    "zigzag": Motion(one_object_motions.zigzag, 1),
    "zigzag_up": Motion(one_object_motions.zigzag_up, 1, "mirror"),
    "hop": Motion(one_object_motions.hop, 1),
    "bounce": Motion(one_object_motions.bounce, 1, "mirror"),
    "pendulum": Motion(one_object_motions.pendulum, 1, "mirror"),
    "enter_left": Motion(one_object_motions.enter_left, 1, "none", "edge"),
    "enter_top": Motion(one_object_motions.enter_top, 1, "none", "edge"),
    "spin": Motion(one_object_motions.spin, 1, "spin", "spot"),
    "half_turn": Motion(one_object_motions.half_turn, 1, "any", "spot"),
    "grow": Motion(one_object_motions.grow, 1, "any", "spot"),
    "appear": Motion(one_object_motions.appear, 1, "any", "spot"),
    "flip": Motion(one_object_motions.flip, 1, "any", "spot"),
    "approach": Motion(two_object_motions.approach, 2, "any"),
    "swap": Motion(two_object_motions.swap, 2, "any"),
    "circle_pair": Motion(two_object_motions.circle_pair, 2, "spin"),
    "cover": Motion(two_object_motions.cover, 2, "any"),
    "push": Motion(two_object_motions.push, 2, "any"),
    "push_return": Motion(two_object_motions.push_return, 2, "any"),
    "stack": Motion(two_object_motions.stack, 2, "mirror"),
    "beside": Motion(two_object_motions.beside, 2, "mirror"),
    "orbit": Motion(two_object_motions.orbit, 2, "spin"),
    "pass_front": Motion(two_object_motions.pass_front, 2),
    "pass_behind": Motion(two_object_motions.pass_behind, 2),
    "bounce_off": Motion(two_object_motions.bounce_off, 2, "any"),
    "catch_up": Motion(two_object_motions.catch_up, 2, "any"),
    "seesaw": Motion(two_object_motions.seesaw, 2, "any"),
    "grow_both": Motion(two_object_motions.grow_both, 2, "any"),
    "follow": Motion(two_object_motions.follow, 2),
    "one_by_one": Motion(two_object_motions.one_by_one, 2, "mirror"),
    "crossing": Motion(two_object_motions.crossing, 2, "any"),
    "split": Motion(two_object_motions.split, 2, "any", twins=True),
    "jump_over": Motion(two_object_motions.jump_over, 2),
    "trade": Motion(two_object_motions.trade, 2, "any"),
    "hit": Motion(two_object_motions.hit, 2, "any"),
}
