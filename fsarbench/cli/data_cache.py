"""What `fsarbench data cache` prints."""

from pathlib import Path

from rich.console import Console

from fsarbench.data.frame_store.build import CacheOptions, fill
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.size_estimate import SizeEstimate
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.video_sources import Source
from fsarbench.errors import UserError
from fsarbench.video import VideoReader

# Videos that are named on the terminal.
NAMED = 10


def store_settings(size: str, format_: str) -> StoreSettings:
    """The settings that the command line asks for.

    Raises:
        UserError: They make no sense.

    Example:
        >>> store_settings("none", "raw")
        StoreSettings(size=None, format='raw')
    """
    if size != "none" and not size.isdecimal():
        raise UserError(f"--size {size}: it has to be a number of pixels, or none.")
    kept: Format = "jpeg" if format_ == "jpeg" else "raw"
    if format_ != kept:
        raise UserError(f"--format {format_}: it has to be raw or jpeg.")
    return StoreSettings(None if size == "none" else int(size), kept)


def run_cache(
    source: Source, reader: VideoReader, settings: StoreSettings, out: str | None, workers: int
) -> int:
    """Fill a store and say how a run uses it; returns the number of videos that cannot be kept.

    Args:
        source: The files.
        reader: Who decodes.
        settings: How frames are kept.
        out: The folder of the store; None for one beside the videos.
        workers: Processes.

    Raises:
        UserError: Something makes no sense, or the store cannot be written.
    """
    if workers < 1:
        raise UserError("--workers has to be 1 or more.")
    if isinstance(reader, StoreReader):
        raise UserError(
            "`data cache` reads the videos themselves: leave out reader.type='StoreReader'."
        )
    store = Path(out).absolute() if out else source.root / default_name(settings)
    console = Console(highlight=False, soft_wrap=True)

    def say(expected: SizeEstimate) -> None:
        console.print(f"to keep in {store} ({settings}): {expected}", markup=False)

    keeper = StoreWriter(reader, source.root, store, settings)
    paths = [path for _, path in source.videos]
    failed = fill(keeper, paths, CacheOptions(workers=workers, say=say))
    console.print(f"{len(paths) - len(failed):,} of {len(paths):,} videos are kept", markup=False)
    for reason in list(failed.values())[:NAMED]:
        console.print(f"left out: {reason}", markup=False)
    if len(failed) > NAMED:
        console.print(f"left out: and {len(failed) - NAMED:,} more")
    beside = "" if store.parent == source.root else f" --set reader.videos={source.root}"
    use = f"--set reader.type=StoreReader --set reader.root={store}{beside}"
    console.print(f"to read from it: {use}", markup=False)
    return len(failed)


def default_name(settings: StoreSettings) -> str:
    """The folder of a store beside the videos.

    Example:
        >>> default_name(StoreSettings(256, "raw"))
        'store-256-raw'
    """
    return f"store-{settings.size or 'full'}-{settings.format}"
