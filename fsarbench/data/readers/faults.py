"""Error messages of the readers for files that cannot be read."""

from collections.abc import Sequence
from pathlib import Path

from fsarbench.errors import UserError


def require_file(path: Path) -> None:
    """Raise a `UserError` unless `path` is a regular file that is not empty."""
    if path.is_dir():
        raise UserError(
            f"The video {path} is a folder: if it contains extracted frames, set "
            "reader.type='FramesReader'."
        )
    try:
        size = path.stat().st_size
    except PermissionError as error:
        raise undecodable(path, "permission denied") from error
    except OSError as error:
        raise UserError(
            f"The video {path} is missing: restore it, or remove it from the data set."
        ) from error
    if not path.is_file():  # opening a pipe would block forever
        raise undecodable(path, "not a regular file")
    if size == 0:
        raise UserError(
            f"The video {path} is empty (0 bytes): download it again, or remove it from the data "
            "set."
        )


def require_frames(path: Path, indices: Sequence[int], count: int) -> None:
    """Raise a `UserError` unless all indices are below the number of frames."""
    invalid = [index for index in indices if not 0 <= index < count]
    if invalid:
        raise UserError(
            f"The video {path} has {count} frames (0 to {count - 1}), but frame {invalid[0]} was "
            "requested: the file is truncated, or its header is wrong. Download it again, or "
            "remove it from the data set."
        )


def undecodable(path: Path, reason: object) -> UserError:
    """Error for an existing file that is damaged or not a video."""
    text = (str(reason).strip() or type(reason).__name__).splitlines()[0]
    return UserError(
        f"The video {path} cannot be decoded ({text}): it is damaged, or not a video. Download it "
        "again, or remove it from the data set."
    )
