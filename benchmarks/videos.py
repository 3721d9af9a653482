"""Generated 256-pixel videos in every form that a reader supports."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from fsarbench.data.frame_store.build import CacheOptions, fill_store
from fsarbench.data.frame_store.formats import Format
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.frames_reader import FramesReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.readers.torchcodec_reader import TorchCodecReader
from fsarbench.data.synthetic.build import write_video
from fsarbench.video import VideoReader

COUNT, FRAMES, HEIGHT, WIDTH = 16, 64, 256, 340


@dataclass(frozen=True)
class Form:
    """Reader and paths of the videos in one form."""

    reader: VideoReader
    paths: tuple[Path, ...]

    def evict(self) -> None:
        """Ask the system to drop the files from the page cache."""
        for path in (file for place in self._places() for file in place.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _places(self) -> set[Path]:
        return {path.parent for path in self.paths} | {
            path.parent / name for path in self.paths for name in ("store-raw", "store-jpeg")
        }


def benchmark_videos(folder: Path, count: int = COUNT) -> tuple[Path, ...]:
    """Write mp4 videos of drifting coloured clouds with little noise."""
    paths = tuple(folder / f"{number:02d}.mp4" for number in range(count))
    for number, path in enumerate(paths):
        write_video(path, _clouds(np.random.Generator(np.random.PCG64(number))), fps=12)
    return paths


def _clouds(draw: np.random.Generator) -> np.ndarray:
    layers = [_layer(draw) // 2 for _ in range(2)]
    noise = draw.integers(0, 8, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    steps = draw.integers(-5, 6, (2, 2))
    frames = []
    for time in range(FRAMES):
        first, second = (
            np.roll(layer, tuple(step * time), (0, 1))
            for layer, step in zip(layers, steps, strict=True)
        )
        frames.append(first + second + np.roll(noise, 37 * time, (0, 1)))
    return np.stack(frames)


def b_frame_videos(folder: Path, count: int = COUNT) -> tuple[Path, ...]:
    """The videos of `benchmark_videos` with the defaults of x264: B-frames, one key frame."""
    return tuple(
        encoded(folder / f"{number:02d}.mp4", number, "libx264", {"threads": "1"})
        for number in range(count)
    )


def avi_videos(folder: Path, count: int = COUNT, interval: int = 250) -> tuple[Path, ...]:
    """Videos in the form of XviD: MPEG-4 in AVI with B-frames, and this interval of key frames."""
    options = {"g": str(interval), "bf": "2", "b": "800k", "threads": "1"}
    return tuple(
        encoded(folder / f"{number:02d}.avi", number, "mpeg4", options) for number in range(count)
    )


def open_group_videos(folder: Path, count: int = COUNT) -> tuple[Path, ...]:
    """H.264 videos with a key frame every 12 frames, whose B-frames depend on frames before it."""
    options = {"threads": "1", "g": "12", "x264-params": "open-gop=1"}
    return tuple(
        encoded(folder / f"{number:02d}.mp4", number, "libx264", options) for number in range(count)
    )


def encoded(path: Path, number: int, codec: str, options: dict[str, str]) -> Path:
    """Encode video number `number` of `benchmark_videos`."""
    frames = _clouds(np.random.Generator(np.random.PCG64(number)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if path.suffix == ".avi":
            stream.codec_context.codec_tag = "XVID"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def long_video(path: Path, seconds: int, fps: int = 30) -> Path:
    """A 720p H.264 video with a key frame every 2 seconds: a texture that moves, with noise."""
    draw = np.random.Generator(np.random.PCG64(7))
    texture = np.asarray(
        Image.fromarray(draw.integers(0, 200, (45, 80, 3), dtype=np.uint8)).resize((1280, 720))
    )
    noise = draw.integers(0, 24, (720, 1280, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.gop_size = 2 * fps
        stream.options = {"preset": "veryfast"}
        for time in range(seconds * fps):
            image = np.roll(texture, (time, 3 * time), (0, 1)) + np.roll(noise, 37 * time, (0, 1))
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        container.mux(stream.encode())
    return path


def _layer(draw: np.random.Generator) -> np.ndarray:
    small = draw.integers(0, 240, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
    wide = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(wide)


def extracted(paths: tuple[Path, ...]) -> Form:
    """Folders of JPEG frames of the videos."""
    folders = []
    for path in paths:
        folder = path.parent / "frames" / path.stem
        folder.mkdir(parents=True)
        whole = PyAVReader()
        for number, frame in enumerate(whole.read(path, range(whole.count(path)))):
            Image.fromarray(frame).save(folder / f"img_{number + 1:05d}.jpg", quality=92)
        folders.append(folder)
    return Form(FramesReader(), tuple(folders))


def stored(paths: tuple[Path, ...], format_: Format) -> Form:
    """Frame store of the videos."""
    root = Path(os.path.commonpath([path.parent for path in paths]))
    store = root / f"store-{format_}"
    keeper = StoreWriter(PyAVReader(), root, store, StoreSettings(256, format_))
    listed = [path.relative_to(root).as_posix() for path in paths]
    fill_store(keeper, listed, CacheOptions(workers=2, report=lambda expected: None))
    return Form(StoreReader(str(store)), paths)


FORMS: dict[str, Callable[[tuple[Path, ...]], Form]] = {
    "decord": lambda paths: Form(DecordReader(), paths),
    "PyAV": lambda paths: Form(PyAVReader(), paths),
    "extracted JPEG": extracted,
    "store, raw": lambda paths: stored(paths, "raw"),
    "store, JPEG": lambda paths: stored(paths, "jpeg"),
}


@dataclass(frozen=True)
class Library(VideoReader):
    """A library with its own way to find frames, without the checks of our readers.

    Attributes:
        name: `decord` or `torchcodec`.
    """

    name: str

    def count(self, path: Path) -> int:
        """Frames according to the library."""
        return len(self._opened(path))

    def read(self, path: Path, indices: Sequence[int]) -> np.ndarray:
        """Frames that the library finds by seeking."""
        video = self._opened(path)
        if self.name == "decord":
            return video.get_batch(list(indices)).asnumpy()
        return video.get_frames_at(list(indices)).data.numpy()

    def _opened(self, path: Path) -> Any:
        if self.name == "decord":
            import decord

            return decord.VideoReader(str(path), num_threads=1)
        from torchcodec.decoders import VideoDecoder

        return VideoDecoder(str(path), dimension_order="NHWC", num_ffmpeg_threads=1)


try:
    from torchcodec import ffmpeg_major_version
except (ImportError, OSError, RuntimeError):
    ffmpeg_major_version = None

FORMS: dict[str, Callable[[tuple[Path, ...]], Form]] = {
    "PyAVReader": lambda paths: Form(PyAVReader(), paths),
    "DecordReader": lambda paths: Form(DecordReader(), paths),
    "decord, seeking": lambda paths: Form(Library("decord"), paths),
    "extracted JPEG": extracted,
    "store, raw": lambda paths: stored(paths, "raw"),
    "store, JPEG": lambda paths: stored(paths, "jpeg"),
}
if ffmpeg_major_version:  # the package and FFmpeg are there
    FORMS["TorchCodecReader"] = lambda paths: Form(TorchCodecReader(), paths)
    FORMS["torchcodec, seeking"] = lambda paths: Form(Library("torchcodec"), paths)
