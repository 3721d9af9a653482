"""The catalogue of the 100 actions, split by class 64 / 12 / 24."""

from dataclasses import dataclass

# Raised whenever any frame of any clip changes; part of every clip's seed and of the recipe hash.
RECIPE = "synthact-1"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Action:
    """An action class: a motion done in a manner, forwards or backwards in time.

    Two actions with the same motion and manner, one of them `backwards`, are a time-reversed
    pair: a clip of one, played backwards, is a valid clip of the other.
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


def _one(name: str, motion: str, manner: str = "plain", backwards: bool = False) -> list[Action]:
    return [Action(name, "", motion, manner, backwards)]


def _split(split: str, groups: list[list[Action]]) -> tuple[Action, ...]:
    return tuple(
        Action(a.name, split, a.motion, a.manner, a.backwards) for group in groups for a in group
    )


TRAIN = _split("train", [
    _pair("Moving something from left to right", "Moving something from right to left", "right"),
    _one("Moving something from left to right and back", "right", "back"),
    _one("Moving something up and back down", "up", "back"),
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
    _one("Moving something from left to right, stopping halfway", "right", "pausing"),
    _one("Moving something downwards while shaking it", "up", "shaking", backwards=True),
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
    _one("Swinging something like a pendulum", "pendulum"),
    _one("Something blinking", "still", "blinking"),
    _one("Something growing and shrinking again", "grow", "back"),
    _one("Shaking something", "still", "shaking"),
    _pair(
        "Moving something inwards in a spiral", "Moving something outwards in a spiral", "spiral"
    ),
    _pair(
        "Moving something to the right, then upwards",
        "Moving something downwards, then to the left", "corner",
    ),
    _one("Moving something in a figure of eight", "eight"),
    _one("Flipping something over and over again", "flip"),
    _one("Turning something halfway around and back", "half_turn", "back"),
    _pair(
        "Moving something upwards while it fades away",
        "Moving something downwards while it appears", "up", "fading",
    ),
    _pair("Two things coming together", "Two things moving apart", "approach"),
    _one("Two things swapping places", "swap"),
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
    _one("Moving something in front of something and back", "pass_front", "back"),
    _pair(
        "Moving something past the front of something from left to right",
        "Moving something past the front of something from right to left", "pass_front",
    ),
    _one("Something bouncing off something", "bounce_off"),
    _pair("Something catching up with something", "Something falling behind something", "catch_up"),
    _one("Something growing while something else shrinks", "seesaw"),
    _one("Something following something from left to right", "follow"),
    _one("Two things going down, one after the other", "one_by_one"),
    _one("Two things crossing each other's way", "crossing"),
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
    _one("Moving something down and back up", "down", "back"),
    _one("Moving something upwards in a zigzag", "zigzag_up"),
    _one("Two things growing at the same time", "grow_both"),
    _one("Something hitting something that then moves off", "hit"),
])  # fmt: skip

TEST = _split("test", [
    _pair(
        "Moving something from left to right slowly, then quickly",
        "Moving something from right to left quickly, then slowly", "right", "faster",
    ),
    _pair("Moving something upwards", "Moving something downwards", "up"),
    _one("Moving something from right to left and back", "left", "back"),
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
    _one("Moving something upwards, stopping halfway", "up", "pausing"),
    _pair("Something coming in from the top", "Something leaving through the top", "enter_top"),
    _one(
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
    _one("Two things circling each other clockwise", "circle_pair"),
    _one("Two things coming together and moving apart again", "approach", "back"),
    _pair(
        "Pushing something away and coming back without it",
        "Going to something and pulling it back", "push_return",
    ),
    _one("Something appearing while something else fades away", "trade"),
])  # fmt: skip

ACTIONS: tuple[Action, ...] = TRAIN + VAL + TEST
