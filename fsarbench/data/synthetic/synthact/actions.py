"""The 100 action classes of `synthact`: 64 train, 12 val and 24 test classes."""

from dataclasses import dataclass

# Increase this number whenever rendered frames change; it is part of all seeds and of the hash.
RECIPE = "synthact-1"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Action:
    """Action class: a motion, executed in a manner, forwards or backwards in time.

    Two actions with equal motion and manner, of which one is `backwards`, are a time-reversed pair:
    a clip of one, played backwards, is a valid clip of the other.

    Attributes:
        name: Class name.
        split: `train`, `val` or `test`.
        motion: Key of `MOTIONS`.
        manner: Key of `MANNERS`.
        backwards: Whether the motion is played backwards.
    """

    name: str
    split: str
    motion: str
    manner: str = "plain"
    backwards: bool = False


def _pair(forwards: str, backwards: str, motion: str, manner: str = "plain") -> list[Action]:
    return [
        Action(forwards, "", motion, manner),
        Action(backwards, "", motion, manner, backwards=True),
    ]


def _single(name: str, motion: str, manner: str = "plain", backwards: bool = False) -> list[Action]:
    return [Action(name, "", motion, manner, backwards)]


def _split(split: str, groups: list[list[Action]]) -> tuple[Action, ...]:
    return tuple(
        Action(a.name, split, a.motion, a.manner, a.backwards) for group in groups for a in group
    )


TRAIN = _split("train", [
    _pair("Moving something from left to right", "Moving something from right to left", "right"),
    _single("Moving something from left to right and back", "right", "back"),
    _single("Moving something up and back down", "up", "back"),
    _pair(
        "Moving something from bottom left to top right",
        "Moving something from top right to bottom left", "rise",
    ),
    _pair(
        "Moving something upwards slowly, then quickly",
        "Moving something downwards quickly, then slowly", "up", "faster",
    ),
    _pair(
        "Moving something from left to right while it grows",
        "Moving something from right to left while it shrinks", "right", "growing",
    ),
    _single("Moving something from left to right, stopping halfway", "right", "pausing"),
    _single("Moving something downwards while shaking it", "up", "shaking", backwards=True),
    _pair("Rolling something from left to right", "Rolling something from right to left", "roll"),
    _pair(
        "Moving something in a circle clockwise",
        "Moving something in a circle counter-clockwise", "circle",
    ),
    _pair("Turning something clockwise", "Turning something counter-clockwise", "spin"),
    _pair("Something growing bigger", "Something shrinking", "grow"),
    _pair("Something slowly appearing", "Something slowly fading away", "appear"),
    _pair("Something coming in from the left", "Something leaving to the left", "enter_left"),
    _pair(
        "Dropping something so that it bounces and comes to rest",
        "Something starting to bounce, higher and higher", "bounce",
    ),
    _pair(
        "Moving something from left to right in a zigzag",
        "Moving something from right to left in a zigzag", "zigzag",
    ),
    _single("Swinging something like a pendulum", "pendulum"),
    _single("Something blinking", "still", "blinking"),
    _single("Something growing and shrinking again", "grow", "back"),
    _single("Shaking something", "still", "shaking"),
    _pair(
        "Moving something inwards in a spiral", "Moving something outwards in a spiral", "spiral"
    ),
    _pair(
        "Moving something to the right, then upwards",
        "Moving something downwards, then to the left", "corner",
    ),
    _single("Moving something in a figure of eight", "eight"),
    _single("Flipping something over and over again", "flip"),
    _single("Turning something halfway around and back", "half_turn", "back"),
    _pair(
        "Moving something upwards while it fades away",
        "Moving something downwards while it appears", "up", "fading",
    ),
    _pair("Two things coming together", "Two things moving apart", "approach"),
    _single("Two things swapping places", "swap"),
    _pair("Covering something with something", "Uncovering something", "cover"),
    _pair(
        "Pushing something with something",
        "Pulling something along, then letting go of it", "push",
    ),
    _pair(
        "Putting something on top of something",
        "Lifting something off something", "stack",
    ),
    _pair(
        "Something circling around something clockwise",
        "Something circling around something counter-clockwise", "orbit",
    ),
    _single("Moving something in front of something and back", "pass_front", "back"),
    _pair(
        "Moving something past the front of something from left to right",
        "Moving something past the front of something from right to left", "pass_front",
    ),
    _single("Something bouncing off something", "bounce_off"),
    _pair("Something catching up with something", "Something falling behind something", "catch_up"),
    _single("Something growing while something else shrinks", "seesaw"),
    _single("Something following something from left to right", "follow"),
    _single("Two things going down, one after the other", "one_by_one"),
    _single("Two things crossing each other's way", "crossing"),
    _pair("Splitting something into two", "Joining two things into one", "split"),
])  # fmt: skip

VAL = _split("val", [
    _pair(
        "Moving something from top left to bottom right",
        "Moving something from bottom right to top left", "sink",
    ),
    _pair(
        "Turning something clockwise while it grows",
        "Turning something counter-clockwise while it shrinks", "spin", "growing",
    ),
    _pair(
        "Moving something along a square clockwise",
        "Moving something along a square counter-clockwise", "square",
    ),
    _pair(
        "Moving something behind something from left to right",
        "Moving something behind something from right to left", "pass_behind",
    ),
    _single("Moving something down and back up", "down", "back"),
    _single("Moving something upwards in a zigzag", "zigzag_up"),
    _single("Two things growing at the same time", "grow_both"),
    _single("Something hitting something that then moves off", "hit"),
])  # fmt: skip

TEST = _split("test", [
    _pair(
        "Moving something from left to right slowly, then quickly",
        "Moving something from right to left quickly, then slowly", "right", "faster",
    ),
    _pair("Moving something upwards", "Moving something downwards", "up"),
    _single("Moving something from right to left and back", "left", "back"),
    _pair(
        "Rolling something down to the right",
        "Rolling something up to the left", "roll_down",
    ),
    _pair(
        "Moving something in a circle clockwise while it grows",
        "Moving something in a circle counter-clockwise while it shrinks", "circle", "growing",
    ),
    _pair(
        "Something hopping from left to right",
        "Something hopping from right to left", "hop",
    ),
    _single("Moving something upwards, stopping halfway", "up", "pausing"),
    _pair("Something coming in from the top", "Something leaving through the top", "enter_top"),
    _single(
        "Moving something from top right to bottom left while it blinks",
        "rise", "blinking", backwards=True,
    ),
    _pair(
        "Putting something next to something",
        "Taking something away from something", "beside",
    ),
    _pair(
        "Something jumping over something from left to right",
        "Something jumping over something from right to left", "jump_over",
    ),
    _single("Two things circling each other clockwise", "circle_pair"),
    _single("Two things coming together and moving apart again", "approach", "back"),
    _pair(
        "Pushing something away and coming back without it",
        "Going to something and pulling it back", "push_return",
    ),
    _single("Something appearing while something else fades away", "trade"),
])  # fmt: skip

ACTIONS: tuple[Action, ...] = TRAIN + VAL + TEST
