"""Rendering of built-in data sets in parallel, resumable, and verified on every use."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from fsarbench.data.paths import cannot_write, data_home
from fsarbench.data.synthetic.manifest import Manifest, Video, from_lines, load, to_line
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import remove_stale_files, write_atomically
from fsarbench.runtime.progress import ProgressBars
from fsarbench.runtime.worker_pool import LostTask, run_tasks

# One thread, because the output of x264 depends on the number of threads. No look-ahead, because
# with it about one file in a hundred differed between runs on a busy machine. A key frame every
# eight frames and no B-frames, so that few frames are decoded to reach one.
CODEC_OPTIONS = {
    "preset": "veryfast",
    "crf": "23",
    "g": "8",
    "threads": "1",
    "x264-params": "bframes=0:scenecut=0:mbtree=0:rc-lookahead=0",
    "flags": "+bitexact",
}


def write_video(path: Path, frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> int:
    """Write RGB frames of even height and width as an H.264 MP4 file, atomically.

    Returns:
        Size of the file in bytes.
    """
    data = encode(frames, fps)
    write_atomically(path, data)
    return len(data)


def encode(frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> bytes:
    """Encode an MP4 file; equal frames give equal bytes with the same version of x264."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=CODEC_OPTIONS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


JOURNAL = "journal.jsonl"
# Minimum number of videos per worker: with fewer, starting the worker takes longer than it saves.
VIDEOS_PER_WORKER = 40


@dataclass(frozen=True)
class Clip:
    """A video to render: id (path without suffix), class, split, and number within the class."""

    id: str
    class_name: str
    split: str
    number: int


Render = Callable[[Clip], UInt8[np.ndarray, "T H W 3"]]


@dataclass(frozen=True)
class Plan:
    """Specification of a data set to render.

    Attributes:
        name: Name of the data set.
        recipe: Text that must change whenever rendered frames change.
        clips: Videos to render.
        render: Function that renders the frames of a clip. It must be defined at module level, so
            that other processes can import it.
        fps: Frames per second.
    """

    name: str
    recipe: str
    clips: tuple[Clip, ...]
    render: Render
    fps: int = 12

    @cached_property
    def hash(self) -> str:
        """Hash over the recipe, the frame rate and the list of clips."""
        lines = [self.recipe, str(self.fps), *(repr(clip) for clip in self.clips)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def folder(self) -> Path:
        """Folder of the data set; it depends on the hash of the plan."""
        return data_home() / f"{self.name}-{self.hash[:12]}"


def ensure(plan: Plan, workers: int | None = None, progress: bool = True) -> Manifest:
    """Verify the data set of a plan, and render missing videos.

    A video is rendered again if its file is missing or has the wrong size. Several processes may
    call this function at the same time, because they write identical files.

    Args:
        plan: Data set to render.
        workers: Number of processes; None for one per core. With more than one, the calling script
            must be guarded by `if __name__ == "__main__"`.
        progress: Whether to show a progress bar.
    """
    manifest = load(plan.folder)
    rendered = {video.id: video for video in manifest.videos} if manifest else {}
    if manifest and manifest.recipe == plan.hash and _missing(plan, rendered) == []:
        return manifest
    return build(plan, rendered, workers, progress)


def build(
    plan: Plan, rendered: dict[str, Video], workers: int | None = None, progress: bool = True
) -> Manifest:
    """Render the missing videos of a plan, then write the manifest.

    Args:
        plan: Data set to render.
        rendered: Videos that were rendered before, by id; damaged ones are rendered again.
        workers: Number of processes; None for one per core.
        progress: Whether to show a progress bar.
    """
    folder = plan.folder
    with _write_errors(folder):
        for parent in sorted({(folder / clip.id).parent for clip in plan.clips}):
            parent.mkdir(parents=True, exist_ok=True)
    remove_stale_files(folder, below=True)
    videos = {**rendered, **_read_journal(folder / JOURNAL)}
    missing = _missing(plan, videos)
    bars = ProgressBars(quiet=not progress)
    bars.say(f"Rendering {plan.name}: {len(missing)} videos in {folder}")
    with bars.task(f"render {plan.name}", len(missing)) as bar:
        for video in _render_all(plan, missing, _processes(workers, len(missing))):
            videos[video.id] = video
            with _write_errors(folder), (folder / JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(to_line(video))
            bar.advance()
    manifest = Manifest(folder, plan.name, plan.hash, tuple(videos[c.id] for c in plan.clips))
    with _write_errors(folder):
        manifest.save()
        (folder / JOURNAL).unlink(missing_ok=True)
    return manifest


def _render_all(plan: Plan, clips: list[Clip], workers: int) -> Iterator[Video]:
    render = partial(_render_video, plan.folder, plan.render, plan.fps)
    if workers <= 1:
        yield from map(render, clips)
        return
    for _, result in run_tasks(partial(_catch_errors, render), clips, workers, inf):
        if isinstance(result, LostTask):
            raise UserError(
                f"A process that rendered videos in {plan.folder} was killed, perhaps for lack of "
                "memory. Start again (finished videos are kept), or set workers=1."
            )
        if isinstance(result, Exception):
            raise result
        yield result


def _catch_errors(render: Callable[[Clip], Video], clip: Clip) -> Video | Exception:
    try:
        return render(clip)
    except Exception as error:
        return error


def _render_video(folder: Path, render: Render, fps: int, clip: Clip) -> Video:
    frames = render(clip)
    path = f"{clip.id}.mp4"
    with _write_errors(folder):
        size = write_video(folder / path, frames, fps)
    digest = hashlib.sha256(repr(frames.shape).encode() + frames.tobytes()).hexdigest()
    return Video(clip.id, path, clip.class_name, clip.split, len(frames), size, digest)


@contextmanager
def _write_errors(folder: Path) -> Iterator[None]:
    """Convert an `OSError` of the block into a `UserError` that names the folder."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error


def _missing(plan: Plan, videos: dict[str, Video]) -> list[Clip]:
    folder = plan.folder
    return [c for c in plan.clips if c.id not in videos or not videos[c.id].intact(folder)]


def _read_journal(journal: Path) -> dict[str, Video]:
    try:
        with journal.open(encoding="utf-8", errors="replace") as lines:
            return from_lines(lines)
    except FileNotFoundError:
        return {}


def _processes(workers: int | None, clips: int) -> int:
    requested = _cores() if workers is None else workers
    return max(1, min(requested, -(-clips // VIDEOS_PER_WORKER)))


def _cores() -> int:
    # A container or a batch job may have fewer cores than the machine.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slug(name: str) -> str:
    """Folder name for a class name.

    Example:
        >>> slug("Moving something up, then down")
        'moving-something-up-then-down'
    """
    return "-".join("".join(c.lower() if c.isalnum() else " " for c in name).split())
