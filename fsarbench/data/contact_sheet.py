"""A picture of sampled clips: one line of frames a video, with its class beside it."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from fsarbench.data.clips import segment_frames
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import Split, SplitName, Video, VideoReader

# Pixels: the height of a frame, the widest frame, the column of names, the space between frames.
HEIGHT, WIDEST, NAMES, GAP = 96, 170, 220, 4


@dataclass(frozen=True)
class Line:
    """One video of the sheet; `fault` says why there are no frames."""

    title: str
    frames: list[Image.Image]
    fault: str = ""


def sampled(split: Split, classes: int, seed: int) -> list[Video]:
    """One random video of each of some random classes of a split.

    Args:
        split: Where they are drawn from.
        classes: How many, at most.
        seed: Another seed draws others.
    """
    chance = RandomStream("contact sheet", seed, split.name)
    order = np.argsort(chance.keys(len(split.classes)), kind="stable")[:classes]
    chosen = []
    for label in sorted(int(label) for label in order):
        chosen.append(chance.pick([video for video in split.videos if video.label == label]))
    return chosen


def contact_sheet(
    splits: Mapping[SplitName, Split], reader: VideoReader, classes: int, frames: int, seed: int
) -> tuple[Image.Image, list[str]]:
    """The sheet, and what is wrong with videos that could not be read.

    Args:
        splits: The data set.
        reader: Who decodes.
        classes: Videos of each split.
        frames: Frames of each video.
        seed: Draws the videos.
    """
    lines = [
        _line(reader, split, video, frames)
        for split in splits.values()
        for video in sampled(split, classes, seed)
    ]
    return _drawn(lines), [line.fault for line in lines if line.fault]


def _line(reader: VideoReader, split: Split, video: Video, frames: int) -> Line:
    title = f"{split.name}: {split.readable[video.label] or split.classes[video.label]}"
    try:
        return Line(title, _pictures(reader, video.path, frames))
    except UserError as error:
        return Line(title, [], str(error))


def _pictures(reader: VideoReader, path: Path, frames: int) -> list[Image.Image]:
    picked = segment_frames(reader.count(path), frames)
    return [_small(frame) for frame in reader.read(path, picked)]


def _small(frame: UInt8[np.ndarray, "H W 3"]) -> Image.Image:
    picture = Image.fromarray(frame)
    width = min(WIDEST, max(1, round(HEIGHT * picture.width / picture.height)))
    return picture.resize((width, HEIGHT))


def _drawn(lines: list[Line]) -> Image.Image:
    widths = [sum(frame.width + GAP for frame in line.frames) for line in lines]
    size = (NAMES + max(widths, default=0), len(lines) * (HEIGHT + GAP))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        left, top = NAMES, number * (HEIGHT + GAP)
        pen.multiline_text((GAP, top + GAP), _fitting(line), fill="black")
        for frame in line.frames:
            sheet.paste(frame, (left, top))
            left += frame.width + GAP
    return sheet


def _fitting(line: Line) -> str:
    # The font that comes along has no more letters than these.
    text = line.title + (" (cannot be read)" if line.fault else "")
    return "\n".join(textwrap.wrap(text.encode("latin-1", "replace").decode("latin-1"), 32)[:6])
