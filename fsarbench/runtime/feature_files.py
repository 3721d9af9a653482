"""Files of features, `.npy`, `.npz` and `.safetensors`, for one or several videos.

In `.npz` and `.safetensors` files, the array has the name `features`. The array of one video has
the axes "S D", or "D" for one feature per video; that of several videos has a first axis V.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Float, Float32
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import atomic_path, write_errors

KEY = "features"
SUFFIXES = (".safetensors", ".npy", ".npz")


def read_features(path: Path, row: int | None = None) -> Float32[np.ndarray, "S D"]:
    """Features of one video.

    Args:
        path: File of the features.
        row: Row of the video in a file of several videos; None for a file of one video.

    Raises:
        UserError: The file is missing or damaged, or the array has other axes or a value that is
            not finite.
    """
    with opened(path) as array:
        shape = one_video(path, tuple(array.shape), row)
        values = array[()] if row is None else array[row]
        # Converted by torch, because numpy has no bfloat16.
        tensor = torch.as_tensor(np.array(values) if isinstance(values, np.ndarray) else values)
    if tensor.is_complex():
        raise UserError(f"{path}: '{KEY}' has complex numbers; expected floats.")
    features: Float32[np.ndarray, "S D"] = tensor.to(torch.float32).reshape(shape).numpy()
    if not np.isfinite(features).all():
        in_row = "" if row is None else f", row {row},"
        raise UserError(
            f"{path}{in_row} has values that are NaN or infinite: compute the features again, or "
            "leave the video out."
        )
    return features


def feature_shape(path: Path, row: int | None = None) -> tuple[int, int]:
    """Number of steps S and width D of one video, from the header of its file.

    Raises:
        UserError: The file is missing or damaged, or the array has other axes.
    """
    with opened(path) as array:
        return one_video(path, tuple(array.shape), row)


def one_video(path: Path, shape: tuple[int, ...], row: int | None) -> tuple[int, int]:
    """Number of steps and width of one video in an array of this shape.

    Raises:
        UserError: The array has another number of axes, or too few rows.
    """
    of_video = shape if row is None else shape[1:]
    if len(of_video) not in (1, 2) or 0 in of_video:
        one, many = "(steps, width) or (width)", "(videos, steps, width) or (videos, width)"
        hint = (
            f" of one video. For a file of several videos, {many}, the table needs the column 'row'"
            if row is None
            else ", since the table has a column 'row'"
        )
        raise UserError(
            f"{path}: '{KEY}' has the shape {shape}; expected {one if row is None else many}{hint}."
        )
    if row is not None and not row < shape[0]:
        raise UserError(
            f"{path}: '{KEY}' has {shape[0]} rows, 0 to {shape[0] - 1}, and no row {row}."
        )
    return (1, of_video[0]) if len(of_video) == 1 else (of_video[0], of_video[1])


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Array of a file, with `shape` and `[row]`; `.npy` and `.safetensors` are memory-mapped.

    Raises:
        UserError: The file is missing, damaged or of another type.
    """
    try:
        if path.suffix == ".npz":
            yield numbers(path, npz_features(path))
        elif path.suffix == ".npy":
            yield numbers(path, np.load(path, mmap_mode="r", allow_pickle=False))
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                yield Rows(file.get_slice(only_key(path, list(file.keys()))))
        else:
            raise UserError(
                f"{path} is not a file of features: expected a name that ends in "
                f"{', '.join(SUFFIXES)}."
            )
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"The file of features {path} is missing.") from None
    except (OSError, ValueError, EOFError, BadZipFile, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as features without pickle ({error}).") from error


class Rows:
    """Slice of a safetensors file with the attribute `shape`.

    Args:
        part: Slice of the file.
    """

    def __init__(self, part: Any) -> None:
        self.part = part
        self.shape = tuple(part.get_shape())

    def __getitem__(self, index: Any) -> Tensor:
        # safetensors does not support the empty index.
        tensor: Tensor = self.part[:] if index == () else self.part[index]
        return tensor


def only_key(path: Path, keys: list[str]) -> str:
    """Check that a file has an array `features`, and return this name.

    Raises:
        UserError: The file has no such array.
    """
    if KEY not in keys:
        raise UserError(
            f"{path} has no array '{KEY}'; its arrays are {', '.join(keys) or 'none'}. Save the "
            f"features under the name '{KEY}'."
        )
    return KEY


def npz_features(path: Path) -> np.ndarray:
    """Array `features` of an archive; the arrays of the last two archives are cached.

    Raises:
        UserError: The archive is missing or damaged, or has no such array.
    """
    if not path.is_file():
        raise UserError(f"The file of features {path} is missing.")
    # Cached, because an archive with many videos can only be read as a whole.
    return _npz_features(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _npz_features(path: Path, changed: int) -> np.ndarray:
    del changed  # part of the cache key, so that a changed file is read again
    return load_npz(path, (KEY,))[KEY]


def load_npz(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of a NumPy archive by name; missing arrays are left out.

    Raises:
        UserError: The archive has no array `features`, is damaged, or is pickled.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            only_key(path, list(file.files))
            return {name: file[name] for name in names if name in file.files}
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"The file of features {path} is missing.") from None
    except (OSError, ValueError, EOFError, BadZipFile, AttributeError) as error:
        raise UserError(
            f"{path} cannot be read as an archive of NumPy without pickle ({error}). Save texts as "
            "np.array(list_of_str), not as an array of objects."
        ) from error


def numbers(path: Path, array: Any) -> np.ndarray:
    """Check that an array has real numbers, and return it.

    Raises:
        UserError: The file has another content.
    """
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path} is an archive instead of an array: rename it to .npz.")
    if array.dtype.kind not in "fiu":
        raise UserError(f"{path}: '{KEY}' has the type {array.dtype}; expected floats.")
    return array


def write_features(path: Path, features: Float[Tensor, "V S D"]) -> None:
    """Write the features of several videos atomically.

    Raises:
        UserError: The file cannot be written.
    """
    with write_errors(path), atomic_path(path) as temporary:
        save_file({KEY: features.detach().cpu().contiguous()}, temporary)
