"""Frame store of a run (`--cache-frames`): every video is decoded once, before the training.

The store is that of `fsarbench data cache` with the same settings. Its frames are not compressed,
and their size is chosen so that all clips equal those of decoding bit for bit.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from fsarbench.config.components import build_dataset
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.frame_store.build import CacheOptions, SizeEstimate, fill_store, is_filled
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.paths import data_home
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.video_sources import source_of
from fsarbench.errors import UserError, first_names
from fsarbench.runtime import distributed
from fsarbench.runtime.progress import ProgressBars
from fsarbench.settings import cores


def exact_settings(clips: ClipSettings) -> StoreSettings:
    """Settings of a store from which all clips equal those of decoding.

    Frames that are resized when they are stored are rounded then. That changes nothing if a clip is
    only cropped afterwards, but it does for random resized crops and colour jitter.

    Args:
        clips: Clip settings, resolved for the image size of the backbone.

    Example:
        >>> str(exact_settings(ClipSettings().resolved(224)))
        'raw, short side at most 256 pixels'
    """
    resized_twice = clips.scale is not None or clips.jitter > 0
    return StoreSettings(None if resized_twice else clips.sides()[1], "raw")


def store_frames(values: dict[str, Any], data: DataModule, bars: ProgressBars) -> dict[str, Any]:
    """Store the frames of all videos of a run that are not stored yet.

    Args:
        values: Values of the config.
        data: Data of the run.
        bars: Progress bars.

    Returns:
        Values of the config's section `reader`, for the store.

    Raises:
        UserError: The config reads no videos, a video cannot be decoded, or the store cannot be
            written or does not fit on the disk; or several processes would write it.
    """
    if isinstance(data.reader, StoreReader):
        raise UserError(
            "--cache-frames: the config reads from a frame store already; leave the option out."
        )
    root = source_of(build_dataset(values)).root
    settings = exact_settings(data.clips)
    store = store_folder(root, settings)
    videos = (video.path for split in data.splits.values() for video in split.videos)
    paths = list(dict.fromkeys(path.relative_to(root).as_posix() for path in videos))
    writer = StoreWriter(data.reader, root, store, settings)
    if not is_filled(writer, paths):
        _fill(writer, paths, bars)
    bars.say(f"frames are read from {store} ({settings})")
    return {"type": StoreReader.__name__, "root": str(store), "videos": str(root)}


def store_folder(root: Path, settings: StoreSettings) -> Path:
    """Folder of a store: in the folder of videos, or in the data folder if that is read-only.

    Args:
        root: Folder of the videos.
        settings: Size and format of the frames.
    """
    beside = root / settings.folder_name
    if beside.is_dir() or os.access(root, os.W_OK):
        return beside
    digest = hashlib.blake2b(os.fsencode(root), digest_size=4).hexdigest()
    return data_home() / "frames" / f"{root.name}-{digest}" / settings.folder_name


def _fill(writer: StoreWriter, paths: list[str], bars: ProgressBars) -> None:
    if distributed.count() > 1:
        raise UserError(
            f"--cache-frames: the frames are not in {writer.store} yet, and several processes "
            "cannot store them at once. Call `fsarbench data cache CONFIG --size "
            f"{writer.settings.size or 'none'} --out {writer.store}` first, then this command."
        )

    def show(estimate: SizeEstimate) -> None:
        bars.say(f"frame store {writer.store} ({writer.settings}): {estimate}")

    failed = fill_store(
        writer, paths, CacheOptions(workers=max(1, cores()), report=show, bars=bars)
    )
    if failed:
        raise UserError(
            f"--cache-frames: {len(failed)} of {len(paths)} videos cannot be stored "
            f"({first_names(list(failed))}). {next(iter(failed.values()))}"
        )
