"""Words of the captions for each value of a facet."""

from .facts import EIGHTHS, FIFTHS, HALVES, NONE, THIRDS

SIZE = ("tiny", "small", "medium", "big", "huge")
OPACITY = ("faint", "half faded", "solid")
# where a thing's mark is
TURNED = ("turned right", "turned down", "turned left", "turned up")
EDGE = tuple(f"cut by the {side} edge" for side in ("left", "right", "top", "bottom"))
COLUMN = {
    HALVES: ("in the left half", "in the right half"),
    THIRDS: ("left", "middle", "right"),
    FIFTHS: ("far left", "left of centre", "centre", "right of centre", "far right"),
    EIGHTHS: tuple(f"column {i}" for i in range(1, 9)),
}
ROW = {
    HALVES: ("in the upper half", "in the lower half"),
    THIRDS: ("top", "middle", "bottom"),
    FIFTHS: ("very high", "high up", "halfway up", "low down", "very low"),
    EIGHTHS: tuple(f"row {i}" for i in range(1, 9)),
}
RELATION = {
    "beside": ("left of", "level with", "right of"),
    "over": ("above", "beside", "below"),
    "gap": ("covering", "overlapping", "touching", "near", "far apart from"),
    "front": ("behind", "in front of"),
    "larger": ("smaller than", "as big as", "bigger than"),
}
COUNT = ("nothing", "one thing", "two things", "three things", "four things")
PHASE = ("at the beginning", "early", "in the middle", "late", "at the end")
# English that class names use and captions may not, so that their words stay whole
ENGLISH = """
moving pushing pulling falling rising bouncing rolling growing shrinking rotating turning
spinning appearing disappearing fading approaching separating swapping covering uncovering
chasing passing orbiting splitting entering leaving circling shaking sliding dropping
lifting crossing following merging meeting hiding revealing video of a photo something
another things object objects one two it its itself other from to and back with of the a
an in on over under behind front around across along away toward towards between into out
through while then slowly quickly suddenly twice once again up down left right top bottom
middle edge corner corners side sides diagonal diagonally clockwise counter
counterclockwise anticlockwise zigzag straight steps pausing midway halfway stopping still
places without each onto off apart together until before after fast slow forth photo video
drawing letter line wave shape curve angle bend double hook loop snake heart spoon worm
trapezoid
"""


def position(grid: int, column: int, row: int) -> str:
    """Words for a cell of a grid; `NONE` leaves an axis out.

    Example:
        >>> position(3, 0, 0), position(3, 1, 1), position(8, 2, NONE)
        ('at the top left', 'at the middle', 'at column 3')
    """
    across = COLUMN[grid][column] if column != NONE else ""
    along = ROW[grid][row] if row != NONE else ""
    if grid == HALVES:
        return " ".join(filter(None, (along, across)))
    words = [across] if across == along else [w for w in (along, across) if w]
    return "at " + ("the " if grid == THIRDS else "") + " ".join(words)
