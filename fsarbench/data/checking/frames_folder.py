"""A folder of extracted frames, every picture decoded."""

import hashlib
from pathlib import Path

from PIL import Image

from fsarbench.data.checking.journal import Facts
from fsarbench.data.frames import frame_files
from fsarbench.errors import UserError


def examine_frames(folder: Path, stamp: str) -> Facts:
    """What can be said of a folder of frames.

    Args:
        folder: The folder.
        stamp: What changes with its content.
    """
    try:
        files = frame_files(folder)
    except (UserError, OSError) as error:
        return Facts(stamp, kind="unreadable", reason=str(error))
    digest = hashlib.blake2b(digest_size=16)
    for number, file in enumerate(files):
        try:
            with Image.open(file) as picture:
                digest.update(repr(picture.size).encode() + picture.convert("L").tobytes())
        except (OSError, ValueError, SyntaxError) as error:
            return Facts(stamp, number, kind="unreadable", reason=f"{file.name}: {error}")
    return Facts(stamp, len(files), digest=digest.hexdigest())
