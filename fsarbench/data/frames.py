"""Folders of extracted frames: which files are the frames, in their order."""

import os
from collections import defaultdict
from pathlib import Path

from fsarbench.data.video_files import FRAME
from fsarbench.errors import UserError


def frame_files(folder: Path, prefix: str | None = None) -> list[Path]:
    """The frames of a folder by their numbers, which must have no gap.

    Args:
        folder: A folder of pictures such as `img_00001.jpg`.
        prefix: What comes before the number; None for the only one there is, or `img_` among
            several (flow fields often lie beside the frames).

    Raises:
        UserError: There are no frames, several kinds of them, or one is missing.
    """
    kinds: dict[str, dict[int, str]] = defaultdict(dict)
    for entry in os.scandir(folder):
        match = FRAME.fullmatch(entry.name)
        if match:
            kinds[match[1]][int(match[2])] = entry.name
    numbers = kinds.get(_prefix(folder, sorted(kinds), prefix), {})
    if not numbers:
        raise UserError(
            f"The folder {folder} has no extracted frames (such as {prefix or 'img_'}00001.jpg): "
            "extract them again, or take it out of the data set."
        )
    gaps = [number for number in range(min(numbers), max(numbers)) if number not in numbers]
    if gaps:
        raise UserError(
            f"The folder {folder} lacks the frame of number {gaps[0]} (it has {min(numbers)} to "
            f"{max(numbers)}): extract it again, or take it out of the data set."
        )
    return [folder / numbers[number] for number in sorted(numbers)]


def _prefix(folder: Path, found: list[str], prefix: str | None) -> str:
    if prefix is not None:
        return prefix
    if len(found) > 1 and "img_" not in found:
        raise UserError(
            f"The folder {folder} has several kinds of pictures ({', '.join(found)}): say which "
            "are the frames with reader.prefix."
        )
    return "img_" if "img_" in found else (found or [""])[0]
