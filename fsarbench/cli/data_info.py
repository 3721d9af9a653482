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
from fsarbench.data.loader import load_features
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import require_writable
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import FeatureReader, Split, SplitName, VideoDataset, VideoReader

# Videos per split whose headers are read for durations.
SAMPLE = 100


def run_info(
    dataset: VideoDataset, reader: VideoReader, sheet: Path, classes: int, seed: int
) -> None:
    """Print counts, class sizes and durations, and write the contact sheet.

    Of a data set of features, print their sizes and origin instead, and read all of them.

    Args:
        dataset: Data set to summarise.
        reader: Video reader.
        sheet: PNG file to write.
        classes: Number of videos per split on the sheet.
        seed: Seed for sampling the videos.

    Raises:
        UserError: The data set is missing, features are damaged, or the sheet cannot be written.
    """
    splits = dataset.splits()
    console = Console(highlight=False, soft_wrap=True)
    if isinstance(reader, FeatureReader):
        print_features(dataset, splits, reader, console)
        return
    require_writable(sheet, "--sheet")
    console.print(_table(splits, seed))
    print_fingerprint(dataset, console)
    if dataset.skipped:
        console.print(f"skipped bad videos: {', '.join(dataset.skipped)}", markup=False)
    image, faults = contact_sheet(splits, reader, classes, frames=8, seed=seed)
    for fault in faults:
        console.print(fault, markup=False)
    try:
        image.save(sheet)
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot write {sheet}: {error}. Choose a writable PNG file with --sheet."
        ) from error
    console.print(f"written: {sheet}", markup=False)


def print_fingerprint(dataset: VideoDataset, console: Console) -> None:
    """Print the fingerprint of a data set and the published list that it belongs to."""
    digest = dataset.fingerprint()
    console.print(
        f"fingerprint: {digest} ({KNOWN_LISTS.get(digest, 'not a known published list')})"
    )


def print_features(
    dataset: VideoDataset,
    splits: Mapping[SplitName, Split],
    reader: FeatureReader,
    console: Console,
) -> None:
    """Read all features, and print counts, sizes and origin.

    Raises:
        UserError: Features are missing or damaged, not finite, or of different shapes.
    """
    table = Table("split", "classes", "videos", "videos per class", "steps", "width")
    total = sum(len(split.videos) for split in splits.values())
    with ProgressBars().task("read features", total) as bar:
        for name, split in splits.items():
            shape: tuple[int, ...] = ()
            for video in range(len(split.videos)):
                shape = tuple(load_features(reader, split, video).shape)
                bar.advance()
            sizes = _spread(class_sizes(split)) if split.videos else "0"
            steps, width = map(str, shape) if shape else ("", "")
            counts = str(len(split.classes)), f"{len(split.videos):,}"
            table.add_row(name, *counts, sizes, steps, width)
    console.print(table)
    print_fingerprint(dataset, console)
    for key in ("dataset", "backbone", "clips", "created"):
        if key in dataset.feature_info:
            console.print(f"{key}: {dataset.feature_info[key]}", markup=False)
    console.print("all features are finite and have one shape per split")


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
    rng = RandomStream("durations", seed, split.name)
    sample = [rng.pick(split.videos) for _ in range(min(SAMPLE, len(split.videos)))]
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
