"""The 26 shapes that people drew, their names in words, and their split."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """One shape: its name in the recordings, its name in words, and its split."""

    key: str
    name: str
    split: str


# The look-alikes (J and J with a hook, the two leaves, C and square C, G and he) share a split, so
# that no test class was seen in another spelling.
SHAPES = (
    Shape("Angle", "drawing an upside-down letter V", "train"),
    Shape("BendedLine", "drawing a long loop from its lower side", "train"),
    Shape("CShape", "drawing the letter C", "train"),
    Shape("DoubleBendedLine", "drawing a long spiral of one turn", "train"),
    Shape("JShape", "drawing the letter J", "train"),
    Shape("JShape_2", "drawing the letter J with a hook on top", "train"),
    Shape("LShape", "drawing the letter L", "train"),
    Shape("Leaf_1", "drawing a pointed leaf", "train"),
    Shape("Leaf_2", "drawing a leaf with a waist", "train"),
    Shape("Line", "drawing a straight line", "train"),
    Shape("Sharpc", "drawing the letter C with corners", "train"),
    Shape("Sine", "drawing a sine wave", "train"),
    Shape("Trapezoid", "drawing a trapezoid without its base", "train"),
    Shape("Zshape", "drawing the letter Z", "train"),
    Shape("GShape", "drawing the letter G", "val"),
    Shape("PShape", "drawing the letter P", "val"),
    Shape("Spoon", "drawing the bowl of a spoon", "val"),
    Shape("Worm", "drawing the hump of a worm", "val"),
    Shape("heee", "drawing the Persian letter he", "val"),
    Shape("Khamesh", "drawing a dip and then a stair", "test"),
    Shape("NShape", "drawing the letter N", "test"),
    Shape("RShape", "drawing the letter r from its end", "test"),
    Shape("Saeghe", "drawing a bolt of lightning", "test"),
    Shape("Snake", "drawing a snake", "test"),
    Shape("Sshape", "drawing the letter S", "test"),
    Shape("WShape", "drawing the letter W", "test"),
)
