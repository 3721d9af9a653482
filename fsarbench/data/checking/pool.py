"""Many videos examined in processes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fsarbench.data.checking.examine import examine
from fsarbench.data.checking.journal import Facts
from fsarbench.runtime.worker_pool import Lost, each


def examine_all(paths: Sequence[Path], workers: int, limit: float) -> Iterator[tuple[int, Facts]]:
    """The facts of all videos, each with its number, in the order in which they are found out.

    Args:
        paths: The videos.
        workers: Processes.
        limit: Seconds a video; the process of one that takes longer is ended.

    Raises:
        UserError: Processes cannot be started.
    """
    for number, found in each(examined, paths, workers, limit):
        if isinstance(found, Lost):
            found = Facts(kind=found.kind, reason=found.reason)
        yield number, found


def examined(path: Path) -> Facts:
    """The facts of a video; whatever a damaged file makes a decoder raise is one of them.

    Args:
        path: The video.
    """
    try:
        return examine(path)
    except Exception as error:
        return Facts(kind="unreadable", reason=f"{type(error).__name__}: {error}")
