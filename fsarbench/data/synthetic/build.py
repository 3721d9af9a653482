"""Making of data sets of rendered videos: in parallel, once, restartable, and verified on use."""

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
from fsarbench.runtime.worker_pool import Lost, each

# One thread, because x264's output depends on their number. No look-ahead, because with it about
# one file in a hundred, of the same frames, differed from run to run on a busy machine. A whole
# picture every eight frames and none that refer to later ones: to reach a frame, few are decoded.
CODEC_OPTIONS = {
    "preset": "veryfast",
    "crf": "23",
    "g": "8",
    "threads": "1",
    "x264-params": "bframes=0:scenecut=0:mbtree=0:rc-lookahead=0",
    "flags": "+bitexact",
}


def write_video(path: Path, frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> int:
    """Write RGB frames as an H.264 mp4 file, whose height and width must be even.

    The file appears under its name only when it is whole.

    Returns:
        The size of the file, in bytes.
    """
    data = encode(frames, fps)
    write_atomically(path, data)
    return len(data)


def encode(frames: UInt8[np.ndarray, "T H W 3"], fps: int) -> bytes:
    """The bytes of an mp4 file: the same for the same frames, with the same version of x264."""
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
# Below this many videos a worker costs more time to start than it saves.
WORTH_A_WORKER = 40


@dataclass(frozen=True)
class Clip:
    """A video to be made: its id (a path without suffix), class, split, and number in the class."""

    id: str
    class_name: str
    split: str
    number: int


Render = Callable[[Clip], UInt8[np.ndarray, "T H W 3"]]


@dataclass(frozen=True)
class Plan:
    """A data set to be made.

    `recipe` is any text that changes whenever frames would. `render` makes the frames of a clip;
    it must be a function of a module, so that another process can import it.
    """

    name: str
    recipe: str
    clips: tuple[Clip, ...]
    render: Render
    fps: int = 12

    @cached_property
    def hash(self) -> str:
        """A hash over the recipe and the list of clips."""
        lines = [self.recipe, str(self.fps), *(repr(clip) for clip in self.clips)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def folder(self) -> Path:
        """Where the data set lies; another recipe has another folder."""
        return data_home() / f"{self.name}-{self.hash[:12]}"


def ensure(plan: Plan, workers: int | None = None, progress: bool = True) -> Manifest:
    """The finished data set of a plan: verified if it is there, made if not.

    Render a video again if its file is missing or has the wrong size. Several processes may do
    this at the same time; they write the same files.

    Args:
        plan: What to make.
        workers: The number of processes; by default one for each processor. With more than one, a
            script that calls this must guard its own start by `if __name__ == "__main__"`.
        progress: Whether to show how far it is.
    """
    manifest = load(plan.folder)
    known = {video.id: video for video in manifest.videos} if manifest else {}
    if manifest and manifest.recipe == plan.hash and _missing(plan, known) == []:
        return manifest
    return build(plan, known, workers, progress)


def build(
    plan: Plan, known: dict[str, Video], workers: int | None = None, progress: bool = True
) -> Manifest:
    """Make the videos of a plan that are not there, then write the manifest.

    Args:
        plan: What to make.
        known: Videos that were finished before, by their ids; damaged ones are rendered again.
        workers: The number of processes; by default one for each processor.
        progress: Whether to show how far it is.
    """
    folder = plan.folder
    with _writing(folder):
        for parent in sorted({(folder / clip.id).parent for clip in plan.clips}):
            parent.mkdir(parents=True, exist_ok=True)
    remove_stale_files(folder, below=True)
    done = {**known, **_read(folder / JOURNAL)}
    missing = _missing(plan, done)
    bars = ProgressBars(quiet=not progress)
    bars.say(f"Making {plan.name}: {len(missing)} videos in {folder}")
    with bars.task(f"make {plan.name}", len(missing)) as bar:
        for video in _made(plan, missing, _processes(workers, len(missing))):
            done[video.id] = video
            with _writing(folder), (folder / JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(to_line(video))
            bar.advance()
    manifest = Manifest(folder, plan.name, plan.hash, tuple(done[c.id] for c in plan.clips))
    with _writing(folder):
        manifest.save()
        (folder / JOURNAL).unlink(missing_ok=True)
    return manifest


def _made(plan: Plan, clips: list[Clip], workers: int) -> Iterator[Video]:
    job = partial(_make, plan.folder, plan.render, plan.fps)
    if workers <= 1:
        yield from map(job, clips)
        return
    for _, made in each(partial(_tried, job), clips, workers, inf):
        if isinstance(made, Lost):
            raise UserError(
                f"a process that was making videos in {plan.folder} ended early (out of memory, or "
                "ended by hand). Start again: finished videos are kept; or make them with "
                "workers=1."
            )
        if isinstance(made, Exception):
            raise made
        yield made


def _tried(job: Callable[[Clip], Video], clip: Clip) -> Video | Exception:
    try:
        return job(clip)
    except Exception as error:
        return error


def _make(folder: Path, render: Render, fps: int, clip: Clip) -> Video:
    frames = render(clip)
    path = f"{clip.id}.mp4"
    with _writing(folder):
        size = write_video(folder / path, frames, fps)
    digest = hashlib.sha256(repr(frames.shape).encode() + frames.tobytes()).hexdigest()
    return Video(clip.id, path, clip.class_name, clip.split, len(frames), size, digest)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error


def _missing(plan: Plan, done: dict[str, Video]) -> list[Clip]:
    folder = plan.folder
    return [c for c in plan.clips if c.id not in done or not done[c.id].intact(folder)]


def _read(journal: Path) -> dict[str, Video]:
    try:
        with journal.open(encoding="utf-8", errors="replace") as lines:
            return from_lines(lines)
    except FileNotFoundError:
        return {}


def _processes(workers: int | None, clips: int) -> int:
    wanted = _processors() if workers is None else workers
    return max(1, min(wanted, -(-clips // WORTH_A_WORKER)))


def _processors() -> int:
    # A container or a batch system may lend fewer processors than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slug(name: str) -> str:
    """A class name as the name of a folder.

    Example:
        >>> slug("Moving something up, then down")
        'moving-something-up-then-down'
    """
    return "-".join("".join(c.lower() if c.isalnum() else " " for c in name).split())
