"""Terminal output of `fsarbench data cache`."""

from pathlib import Path

from rich.console import Console

from fsarbench.data.frame_store.build import CacheOptions, SizeEstimate, fill_store
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.video_sources import Source
from fsarbench.errors import UserError
from fsarbench.video import VideoReader

# Maximum number of failed videos that are named on the terminal.
NAMED = 10


def store_settings(size: str, format_: str) -> StoreSettings:
    """Store settings from the command-line options.

    Raises:
        UserError: An option is invalid.

    Example:
        >>> store_settings("none", "raw")
        StoreSettings(size=None, format='raw')
    """
    if size != "none" and not size.isdecimal():
        raise UserError(f"--size {size}: expected a number of pixels, or none.")
    store_format: Format = "jpeg" if format_ == "jpeg" else "raw"
    if format_ != store_format:
        raise UserError(f"--format {format_}: expected raw or jpeg.")
    return StoreSettings(None if size == "none" else int(size), store_format)


def run_cache(
    source: Source, reader: VideoReader, settings: StoreSettings, out: str | None, workers: int
) -> int:
    """Fill a frame store and print how to use it; return the number of videos that failed.

    Args:
        source: Video files of the data set.
        reader: Video reader.
        settings: Size and format of stored frames.
        out: Folder of the store; None for a folder inside the folder of videos.
        workers: Number of decoding processes.

    Raises:
        UserError: An option is invalid, or the store cannot be written.
    """
    if workers < 1:
        raise UserError("--workers has to be 1 or more.")
    if isinstance(reader, StoreReader):
        raise UserError(
            "`data cache` decodes videos and cannot read from a store: leave out "
            "reader.type='StoreReader'."
        )
    store = Path(out).absolute() if out else source.root / settings.folder_name
    console = Console(highlight=False, soft_wrap=True)

    def print_estimate(estimate: SizeEstimate) -> None:
        console.print(f"frame store {store} ({settings}): {estimate}", markup=False)

    writer = StoreWriter(reader, source.root, store, settings)
    paths = [path for _, path in source.videos]
    failed = fill_store(writer, paths, CacheOptions(workers=workers, report=print_estimate))
    console.print(f"{len(paths) - len(failed):,} of {len(paths):,} videos are stored", markup=False)
    for reason in list(failed.values())[:NAMED]:
        console.print(f"not stored: {reason}", markup=False)
    if len(failed) > NAMED:
        console.print(f"not stored: and {len(failed) - NAMED:,} more")
    videos_option = "" if store.parent == source.root else f" --set reader.videos={source.root}"
    options = f"--set reader.type=StoreReader --set reader.root={store}{videos_option}"
    console.print(f"options to read from it: {options}", markup=False)
    return len(failed)
