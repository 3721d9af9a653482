"""`fsarbench data info`: statistics and sample images of a data set."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fsarbench.data.contact_sheet import contact_sheet
from fsarbench.data.importing.known_lists import KNOWN_LISTS
from fsarbench.data.importing.video_finder import probe
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import require_writable
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import Split, SplitName, VideoDataset, VideoReader

# Videos per split whose headers are read for durations.
SAMPLE = 100


def run_info(
    dataset: VideoDataset, reader: VideoReader, sheet: Path, classes: int, seed: int
) -> None:
    """Print counts, class sizes and durations, and write the contact sheet.

    Args:
        dataset: Data set to summarise.
        reader: Video reader.
        sheet: PNG file to write.
        classes: Number of videos per split on the sheet.
        seed: Seed for sampling the videos measured and shown.

    Raises:
        UserError: The data set is missing, or the sheet cannot be written.
    """
    require_writable(sheet, "--sheet")
    splits = dataset.splits()
    console = Console(highlight=False, soft_wrap=True)
    console.print(_table(splits, seed))
    digest = dataset.fingerprint()
    console.print(
        f"fingerprint: {digest} ({KNOWN_LISTS.get(digest, 'not a known published list')})"
    )
    if dataset.skipped:
        console.print(f"left out as bad: {', '.join(dataset.skipped)}", markup=False)
    picture, faults = contact_sheet(splits, reader, classes, frames=8, seed=seed)
    for fault in faults:
        console.print(fault, markup=False)
    try:
        picture.save(sheet)
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot write {sheet}: {error}. Name a PNG file that may be written with --sheet."
        ) from error
    console.print(f"written: {sheet}", markup=False)


def class_sizes(split: Split) -> list[int]:
    """Number of videos per class."""
    counts = Counter(video.label for video in split.videos)
    return [counts[label] for label in range(len(split.classes))]


def _table(splits: Mapping[SplitName, Split], seed: int) -> Table:
    table = Table("split", "classes", "videos", "videos per class", "frames", "seconds", "sizes")
    for name, split in splits.items():
        sizes = _spread(class_sizes(split))
        row = (name, str(len(split.classes)), f"{len(split.videos):,}", sizes)
        table.add_row(*row, *_lengths(split, seed))
    return table


def _lengths(split: Split, seed: int) -> tuple[str, str, str]:
    random = RandomStream("durations", seed, split.name)
    sample = [random.pick(split.videos) for _ in range(min(SAMPLE, len(split.videos)))]
    headers = [probe(video.path) for video in sample]
    frames = [int(header.frames) for header in headers if header.frames]
    seconds = [
        int(header.frames) / float(header.fps) for header in headers if header.frames and header.fps
    ]
    sizes = Counter(header.size for header in headers if header.size)
    return _spread(frames), _spread(seconds), ", ".join(size for size, _ in sizes.most_common(2))


def _spread(values: Sequence[int] | Sequence[float]) -> str:
    if not values:
        return "not in the headers"
    return " / ".join(f"{v:.4g}" for v in (min(values), statistics.median(values), max(values)))
