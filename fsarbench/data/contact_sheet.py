"""Image of sampled clips: one row of frames per video, labelled with its class."""

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

# Pixels: frame height, maximum frame width, width of the label column, gap between frames.
HEIGHT, WIDEST, NAMES, GAP = 96, 170, 220, 4


@dataclass(frozen=True)
class Line:
    """One row of the sheet; `fault` is the error message of an unreadable video."""

    title: str
    frames: list[Image.Image]
    fault: str = ""


def sampled(split: Split, classes: int, seed: int) -> list[Video]:
    """Sample one video from each of up to `classes` random classes of a split.

    Args:
        split: Split to sample from.
        classes: Maximum number of classes.
        seed: Sampling seed.
    """
    chance = RandomStream("contact sheet", seed, split.name)
    order = np.argsort(chance.keys(len(split.classes)), kind="stable")[:classes]
    videos = []
    for label in sorted(int(label) for label in order):
        videos.append(chance.pick([video for video in split.videos if video.label == label]))
    return videos


def contact_sheet(
    splits: Mapping[SplitName, Split], reader: VideoReader, classes: int, frames: int, seed: int
) -> tuple[Image.Image, list[str]]:
    """Contact sheet, and error messages of unreadable videos.

    Args:
        splits: Splits of the data set.
        reader: Video reader.
        classes: Videos per split.
        frames: Frames per video.
        seed: Sampling seed.
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
    indices = segment_frames(reader.count(path), frames)
    return [_small(frame) for frame in reader.read(path, indices)]


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
    # The default font of Pillow covers Latin-1 only.
    text = line.title + (" (cannot be read)" if line.fault else "")
    return "\n".join(textwrap.wrap(text.encode("latin-1", "replace").decode("latin-1"), 32)[:6])
