"""Reading of `.npz` files that may come from another person.

`numpy.load` allocates what the header of an array announces, and decompresses without a limit. Here
all sizes are compared with a limit, and with each other, before anything is decompressed.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fsarbench.results.faults import FaultError

# Bytes of all arrays together: ten million episodes, or the file of a decompression attack.
LIMIT = 2**30
# Kinds of numpy types: signed and unsigned integers, and text. Objects would be pickles.
KINDS = "iuU"
DAMAGED = (
    OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError,
    NotImplementedError,
)  # fmt: skip


def read_arrays(content: bytes, file: object, limit: int = LIMIT) -> dict[str, NDArray]:
    """Arrays of integers and text of an `.npz` file by name.

    Args:
        content: The file.
        file: Its name, for messages.
        limit: Most bytes of all arrays together.

    Raises:
        FaultError: The file is damaged, is larger than the limit, or has other content.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_sizes(entries, file, limit)
            return {
                entry.filename.removesuffix(".npy"): _array(archive, entry, file)
                for entry in entries
            }
    except FaultError:
        raise
    except DAMAGED as error:
        raise FaultError(file, "", "a complete .npz file", error) from None


def _check_sizes(entries: Sequence[zipfile.ZipInfo], file: object, limit: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limit:
        raise FaultError(file, "", f"at most {limit:,} bytes of arrays", f"{total:,} bytes")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise FaultError(file, "", "one array per name", f"the arrays {', '.join(names)}")


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: object) -> NDArray:
    data = io.BytesIO(archive.read(entry))
    shape, dtype = _header(data)
    rest = data.getbuffer()[data.tell() :]
    # The product is an exact integer of Python: a header cannot make it overflow.
    count = 1
    for size in shape:
        count *= size
    if dtype.kind not in KINDS or not dtype.itemsize:
        raise FaultError(file, entry.filename, "integers or text", f"values of the type {dtype}")
    if count * dtype.itemsize != len(rest):
        expected = f"{len(rest):,} bytes of values, which it has"
        raise FaultError(file, entry.filename, expected, f"a header for {shape} of {dtype}")
    return np.frombuffer(rest, dtype=dtype).reshape(shape)


def _header(data: io.BytesIO) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(data)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(data)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(data)
    if fortran and len(shape) > 1:
        raise ValueError("an array in Fortran order")
    if any(size < 0 for size in shape):
        raise ValueError(f"an array of the shape {shape}")
    return shape, dtype
