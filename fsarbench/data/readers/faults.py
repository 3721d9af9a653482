"""What both readers say of a file that they cannot read."""

from collections.abc import Sequence
from pathlib import Path

from fsarbench.errors import UserError


def require_file(path: Path) -> None:
    """Raises a `UserError` unless there is a file at `path`, and something in it."""
    if path.is_dir():
        raise UserError(
            f"The video {path} is a folder: if it holds extracted frames, use "
            "reader.type='FramesReader'."
        )
    try:
        size = path.stat().st_size
    except PermissionError as error:
        raise undecodable(path, "permission denied") from error
    except OSError as error:
        raise UserError(
            f"The video {path} is missing: restore it, or take it out of the data set."
        ) from error
    if not path.is_file():  # opening a pipe would wait for ever
        raise undecodable(path, "no regular file")
    if size == 0:
        raise UserError(
            f"The video {path} is empty (0 bytes): fetch it again, or take it out of the data set."
        )


def require_frames(path: Path, indices: Sequence[int], count: int) -> None:
    """Raises a `UserError` unless the video has all the frames asked for."""
    wrong = [index for index in indices if not 0 <= index < count]
    if wrong:
        raise UserError(
            f"The video {path} has {count} frames (0 to {count - 1}), but frame {wrong[0]} was "
            "asked for: the file is cut short, or its header is wrong. Fetch it again, or take it "
            "out of the data set."
        )


def undecodable(path: Path, reason: object) -> UserError:
    """The error on a file that is there and is no video, or a damaged one."""
    text = (str(reason).strip() or type(reason).__name__).splitlines()[0]
    return UserError(
        f"The video {path} cannot be decoded ({text}): it is damaged, or no video. Fetch it again, "
        "or take it out of the data set."
    )
