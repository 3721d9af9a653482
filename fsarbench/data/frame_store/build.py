"""`fsarbench data cache`: every video of a data set decoded once, resumable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from fsarbench.data.frame_store.size_estimate import SizeEstimate, estimate_size
from fsarbench.data.frame_store.writer import Failed, StoreWriter
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import remove_stale_files
from fsarbench.runtime.folder_lock import locked_folder
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import Lost, each


@dataclass(frozen=True, kw_only=True)
class CacheOptions:
    """How a store is filled.

    Attributes:
        workers: Processes that decode.
        limit: Seconds per video.
        say: Is told the forecast before anything is kept.
    """

    workers: int = 1
    limit: float = 600.0
    say: Callable[[SizeEstimate], None]


def fill(keeper: StoreWriter, paths: Sequence[str], options: CacheOptions) -> dict[str, str]:
    """Keep the videos that are not kept yet, or have changed; returns why some cannot be.

    Args:
        keeper: How, and where.
        paths: The videos of the data set, below the keeper's root.
        options: Processes and limits.

    Raises:
        UserError: The store was made otherwise, cannot be written, or does not fit on the disk.
    """
    try:
        # Two that fill one store would each write an index without the other's videos.
        with locked_folder(keeper.store):
            return _filled(keeper, paths, options)
    except OSError as error:
        raise cannot_write(
            f"cannot write {error.filename or keeper.store}: {error.strerror}"
        ) from error


def cannot_write(reason: str) -> UserError:
    """What a user is told when a store cannot be written."""
    return UserError(
        f"{reason}. Make room or allow writing there, or name a folder on another disk with --out; "
        "videos that are kept already are not decoded again."
    )


def _filled(keeper: StoreWriter, paths: Sequence[str], options: CacheOptions) -> dict[str, str]:
    store = keeper.store
    _begin(keeper)
    remove_stale_files(store, below=(store / JOURNAL).exists())
    known = {**read_index(store), **read_journal(store)}
    known = {path: video for path, video in known.items() if _whole(keeper, video)}
    left = [path for path in paths if path not in known or not _same(keeper, known[path])]
    failed: dict[str, str] = {}
    if left:
        _require_room(estimate_size(keeper, left), options)
    with ProgressBars().task("cache videos", len(left)) as bar, journal(store) as note:
        for number, result in each(keeper, left, options.workers, options.limit):
            if isinstance(result, Stored):
                known[result.path] = result
                note(result)
            else:
                failed[left[number]] = _reason(result)
                known.pop(left[number], None)
            bar.advance()
    write_index(store, known)
    return failed


def _begin(keeper: StoreWriter) -> None:
    before = read_settings(keeper.store)
    if before is None:
        write_settings(keeper.store, keeper.settings)
    elif before != keeper.settings:
        raise UserError(
            f"{keeper.store / SETTINGS} says {before}, but {keeper.settings} is asked for: name "
            "another folder with --out, or take that one away."
        )


def _whole(keeper: StoreWriter, video: Stored) -> bool:
    try:
        file = frames_file(keeper.store, keeper.settings, video.path)
        return file.stat().st_size == video.bytes
    except OSError:
        return False


def _same(keeper: StoreWriter, video: Stored) -> bool:
    source = keeper.root / video.path
    try:
        return stamp_of(source) == video.stamp or digest_of(source) == video.digest
    except OSError:
        return False


def _require_room(expected: SizeEstimate, options: CacheOptions) -> None:
    options.say(expected)
    if not expected.fits:
        raise UserError(
            f"The store does not fit: {expected}. Keep JPEG pictures (--format jpeg), smaller ones "
            "(--size), or name a folder on another disk (--out)."
        )


def _reason(result: Failed | Lost) -> str:
    if isinstance(result, Failed) and result.disk:
        raise cannot_write(result.reason)
    return result.reason
