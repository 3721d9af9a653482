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
HEIGHT, MAX_WIDTH, LABEL_WIDTH, GAP = 96, 170, 220, 4


@dataclass(frozen=True)
class Row:
    """One row of the sheet; `fault` is the error message of an unreadable video."""

    title: str
    frames: list[Image.Image]
    fault: str = ""


def sample_videos(split: Split, classes: int, seed: int) -> list[Video]:
    """Sample one video from each of up to `classes` random classes of a split.

    Args:
        split: Split to sample from.
        classes: Maximum number of classes.
        seed: Sampling seed.
    """
    rng = RandomStream("contact sheet", seed, split.name)
    order = np.argsort(rng.keys(len(split.classes)), kind="stable")[:classes]
    videos = []
    for label in sorted(int(label) for label in order):
        videos.append(rng.pick([video for video in split.videos if video.label == label]))
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
    rows = [
        _row(reader, split, video, frames)
        for split in splits.values()
        for video in sample_videos(split, classes, seed)
    ]
    return _draw(rows), [row.fault for row in rows if row.fault]


def _row(reader: VideoReader, split: Split, video: Video, frames: int) -> Row:
    title = f"{split.name}: {split.readable[video.label] or split.classes[video.label]}"
    try:
        return Row(title, _thumbnails(reader, video.path, frames))
    except UserError as error:
        return Row(title, [], str(error))


def _thumbnails(reader: VideoReader, path: Path, frames: int) -> list[Image.Image]:
    indices = segment_frames(reader.count(path), frames)
    return [_thumbnail(frame) for frame in reader.read(path, indices)]


def _thumbnail(frame: UInt8[np.ndarray, "H W 3"]) -> Image.Image:
    image = Image.fromarray(frame)
    width = min(MAX_WIDTH, max(1, round(HEIGHT * image.width / image.height)))
    return image.resize((width, HEIGHT))


def _draw(rows: list[Row]) -> Image.Image:
    widths = [sum(frame.width + GAP for frame in row.frames) for row in rows]
    size = (LABEL_WIDTH + max(widths, default=0), len(rows) * (HEIGHT + GAP))
    sheet = Image.new("RGB", size, "white")
    canvas = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        left, top = LABEL_WIDTH, number * (HEIGHT + GAP)
        canvas.multiline_text((GAP, top + GAP), _label(row), fill="black")
        for frame in row.frames:
            sheet.paste(frame, (left, top))
            left += frame.width + GAP
    return sheet


def _label(row: Row) -> str:
    # The default font of Pillow covers Latin-1 only.
    text = row.title + (" (cannot be read)" if row.fault else "")
    return "\n".join(textwrap.wrap(text.encode("latin-1", "replace").decode("latin-1"), 32)[:6])
