"""`fsarbench data cache`: size estimate of a frame store, and decoding of every video into it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fsarbench.data.clips import segment_frames
from fsarbench.data.frame_store.formats import encode_jpeg
from fsarbench.data.frame_store.index import (
    JOURNAL,
    SETTINGS,
    Stored,
    frames_file,
    journal,
    read_index,
    read_journal,
    read_settings,
    write_index,
    write_settings,
)
from fsarbench.data.frame_store.writer import Failed, StoreWriter, downscaled
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import remove_stale_files
from fsarbench.runtime.folder_lock import locked_folder
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import LostTask, run_tasks

# Videos in the sample, and frames per video.
SAMPLE, FRAMES = 16, 3


@dataclass(frozen=True)
class SizeEstimate:
    """Estimated size of the videos that are not stored yet.

    Attributes:
        videos: Number of videos that are not stored yet.
        sample: Number of videos in the sample.
        bytes: Estimated size of all of these videos.
        free: Free bytes on the disk of the store.
    """

    videos: int
    sample: int
    bytes: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether the videos fit on the disk."""
        return self.bytes < self.free

    def __str__(self) -> str:
        return (
            f"{self.videos:,} videos, about {readable_size(self.bytes)} (estimated from "
            f"{self.sample} of them); {readable_size(self.free)} are free"
        )


def estimate_size(writer: StoreWriter, paths: Sequence[str]) -> SizeEstimate:
    """Estimate the size of a store from a few frames of a few videos, spread over the list.

    Args:
        writer: Writer of the store.
        paths: Videos that are not stored yet.
    """
    count = min(SAMPLE, len(paths))
    sample = [writer.root / paths[len(paths) * number // count] for number in range(count)]
    sizes = [size for path in sample if (size := _estimated_bytes(writer, path)) is not None]
    mean = sum(sizes) / len(sizes) if sizes else 0.0
    free = shutil.disk_usage(writer.store).free
    return SizeEstimate(len(paths), len(sizes), round(mean * len(paths)), free)


def _estimated_bytes(writer: StoreWriter, path: Path) -> float | None:
    settings = writer.settings
    try:
        count = writer.reader.count(path)
        frames = writer.reader.read(path, segment_frames(count, FRAMES))
    except Exception:  # reported later, when the video is to be stored
        return None
    stored = [downscaled(frame, settings.size) for frame in frames]
    raw = settings.format == "raw"
    sizes = [frame.nbytes if raw else len(encode_jpeg(frame)) for frame in stored]
    return count * sum(sizes) / len(sizes)


def readable_size(size: int) -> str:
    """Size in bytes as text, in a suitable unit.

    Example:
        >>> readable_size(999), readable_size(1_128_400_000_000)
        ('999 B', '1.13 TB')
    """
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


@dataclass(frozen=True, kw_only=True)
class CacheOptions:
    """Settings for filling a frame store.

    Attributes:
        workers: Number of decoding processes.
        limit: Time limit per video in seconds.
        report: Called with the size estimate before the first video is stored.
        bars: Progress bars.
    """

    workers: int = 1
    limit: float = 600.0
    report: Callable[[SizeEstimate], None]
    bars: ProgressBars = field(default_factory=ProgressBars)


def fill_store(writer: StoreWriter, paths: Sequence[str], options: CacheOptions) -> dict[str, str]:
    """Store new and changed videos; return the reasons for failed videos, by path.

    Args:
        writer: Writer of the frame store.
        paths: Videos of the data set, relative to the writer's folder of videos.
        options: Number of processes and time limit.

    Raises:
        UserError: The store has other settings, cannot be written, or does not fit on the disk.
    """
    try:
        # Without the lock, two processes would overwrite each other's index.
        with locked_folder(writer.store):
            return _fill_locked(writer, paths, options)
    except OSError as error:
        raise cannot_write(
            f"cannot write {error.filename or writer.store}: {error.strerror}"
        ) from error


def is_filled(writer: StoreWriter, paths: Sequence[str]) -> bool:
    """Whether a finished store has all videos, unchanged; nothing is locked or written.

    Raises:
        UserError: The store has other settings, or its index cannot be read.
    """
    if read_settings(writer.store) != writer.settings:
        return False
    stored = read_index(writer.store)
    return all(
        path in stored
        and _is_complete(writer, stored[path])
        and _is_unchanged(writer, stored[path])
        for path in paths
    )


def cannot_write(reason: str) -> UserError:
    """Error for a frame store that cannot be written."""
    return UserError(
        f"{reason}. Free disk space, change the permissions, or choose a folder on another disk "
        "(`fsarbench data cache --out`); videos that are already stored are not decoded again."
    )


def _fill_locked(
    writer: StoreWriter, paths: Sequence[str], options: CacheOptions
) -> dict[str, str]:
    store = writer.store
    _require_same_settings(writer)
    remove_stale_files(store, below=(store / JOURNAL).exists())
    listed = {**read_index(store), **read_journal(store)}
    stored = {path: video for path, video in listed.items() if _is_complete(writer, video)}
    pending = [
        path for path in paths if path not in stored or not _is_unchanged(writer, stored[path])
    ]
    failed: dict[str, str] = {}
    if pending:
        _require_space(estimate_size(writer, pending), options)
    with options.bars.task("cache videos", len(pending)) as bar, journal(store) as append:
        for number, result in run_tasks(writer, pending, options.workers, options.limit):
            if isinstance(result, Stored):
                stored[result.path] = result
                append(result)
            else:
                failed[pending[number]] = _reason(result)
                stored.pop(pending[number], None)
            bar.advance()
    write_index(store, stored)
    return failed


def _require_same_settings(writer: StoreWriter) -> None:
    existing = read_settings(writer.store)
    if existing is None:
        write_settings(writer.store, writer.settings)
    elif existing != writer.settings:
        raise UserError(
            f"{writer.store / SETTINGS} has other settings ({existing}; requested: "
            f"{writer.settings}): choose another folder with --out, or delete that store."
        )


def _is_complete(writer: StoreWriter, video: Stored) -> bool:
    try:
        file = frames_file(writer.store, writer.settings, video.path)
        return file.stat().st_size == video.bytes
    except OSError:
        return False


def _is_unchanged(writer: StoreWriter, video: Stored) -> bool:
    source = writer.root / video.path
    try:
        return stamp_of(source) == video.stamp or digest_of(source) == video.digest
    except OSError:
        return False


def _require_space(estimate: SizeEstimate, options: CacheOptions) -> None:
    options.report(estimate)
    if not estimate.fits:
        raise UserError(
            f"The frame store does not fit on the disk: {estimate}. Call `fsarbench data cache` "
            "for JPEG images (--format jpeg), smaller frames (--size), or a folder on another disk "
            "(--out)."
        )


def _reason(result: Failed | LostTask) -> str:
    if isinstance(result, Failed) and result.disk:
        raise cannot_write(result.reason)
    return result.reason
