"""Every codec and pixel format that PyAV's FFmpeg encodes, read by every reader, as a table.

Each file is compared with FFmpeg's own frames: all of them decoded by PyAV from the first one on,
and converted to RGB. Write the table of the documentation with::

    python -m benchmarks.reader_sweep -o docs/readers.md
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from fsarbench.data.readers.decord_reader import DecordReader
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.streams import opened
from fsarbench.data.readers.torchcodec_reader import TorchCodecReader
from fsarbench.errors import UserError
from fsarbench.runtime.atomic_files import write_text
from fsarbench.video import VideoReader

FRAMES = 12
READERS: dict[str, VideoReader] = {
    "PyAVReader": PyAVReader(),
    "DecordReader": DecordReader(),
    "TorchCodecReader": TorchCodecReader(),
}
EQUAL, REFUSED, WRONG, ABSENT = "equal", "refused", "WRONG", "not installed"
# Encoders of a device, and those of other names for a codec that is here already.
DEVICES = ("_nvenc", "_amf", "_qsv", "_v4l2m2m", "_vaapi", "_vulkan", "_mf", "_videotoolbox")
# Names that PyAV knows an encoder by twice: as the codec and as the library.
TWICE = {"libx264", "libx265", "libvpx", "libvpx-vp9", "libsvtav1", "libwebp"}
CONTAINERS = {
    "h264": ("mp4", "mov", "mkv", "avi", "ts", "flv", "3gp"),
    "hevc": ("mp4", "mkv", "ts"),
    "mpeg4": ("mp4", "avi", "mkv", "3gp"),
    "mpeg1video": ("mpg",),
    "mpeg2video": ("mpg", "ts", "mkv"),
    "vp8": ("webm",),
    "vp9": ("webm", "mp4"),
    "av1": ("webm", "mp4"),
    "libtheora": ("ogv",),
    "theora": ("ogv",),
    "wmv1": ("asf",),
    "wmv2": ("asf",),
    "flv": ("flv",),
    "dvvideo": ("dv", "avi", "mov"),
    "h263": ("3gp", "avi"),
    "mjpeg": ("avi", "mov", "mkv"),
    "gif": ("gif",),
    "apng": ("apng",),
    "cinepak": ("avi", "mov"),
    "rawvideo": ("avi", "mov", "nut"),
    "png": ("mov", "avi", "mkv"),
    "qtrle": ("mov",),
}
ELSEWHERE = ("mkv", "mov", "avi", "nut")
RAW = ("pal8", "gray", "rgb555le", "rgb565le", "uyvy422", "yuyv422", "bgra", "bgr24", "rgb24",
       "yuv420p", "yuv422p", "yuv444p", "nv12", "gray16le", "monow", "rgb8")  # fmt: skip
SIZES = ((48, 64), (96, 128), (288, 352), (480, 720), (576, 720), (720, 1280))


@dataclass(frozen=True)
class Sample:
    """One file of the sweep: its encoder, pixel format, container, and what else is special."""

    codec: str
    pixels: str
    container: str
    special: str = ""

    def __str__(self) -> str:
        return f"{self.codec} {self.pixels} {self.container} {self.special}".strip()


def samples() -> Iterator[Sample]:
    """What there is to encode."""
    for name in sorted(av.codec.codecs_available):
        if name.endswith(DEVICES) or name in TWICE:
            continue
        try:
            codec = av.Codec(name, "w")
        except ValueError:
            continue
        if codec.type != "video":
            continue
        formats = RAW if name == "rawvideo" else [f.name for f in codec.video_formats or ()]
        for pixels in formats:
            for container in CONTAINERS.get(name, ELSEWHERE):
                yield Sample(name, pixels, container)
    for name, container in (("h264", "mp4"), ("mpeg2video", "mkv"), ("mpeg4", "avi")):
        yield Sample(name, "yuv420p", container, "interlaced")


def write(folder: Path, sample: Sample) -> Path | None:
    """Encode a sample; None where this encoder, pixel format and container do not go together."""
    for number, size in enumerate(SIZES):
        path = (
            folder / f"{sample.codec}-{sample.pixels}-{sample.special}{number}.{sample.container}"
        )
        try:
            _encode(path, sample, size)
            return path
        except (av.FFmpegError, ValueError, OSError, KeyError):
            path.unlink(missing_ok=True)
    return None


def _encode(path: Path, sample: Sample, size: tuple[int, int]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(sample.codec, rate=25, options=_options(sample))
        stream.height, stream.width = size
        stream.pix_fmt = sample.pixels
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = 5
        for number in range(FRAMES):
            frame = _frame(image(number, *size), sample.pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frame(picture: np.ndarray, pixels: str) -> av.VideoFrame:
    if pixels == "pal8":  # FFmpeg converts from palettes, but to none
        colours = np.arange(256, dtype=np.uint8)[:, None] * np.array([0, 1, 3, 7], np.uint8)
        colours[:, 0] = 255
        return av.VideoFrame.from_ndarray((picture[..., 0], colours), format="pal8")
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)


def _options(sample: Sample) -> dict[str, str]:
    quiet = {"hevc": {"x265-params": "log-level=none"}, "h264": {"bf": "2"}}
    if sample.special == "interlaced":
        return {"flags": "+ildct+ilme", "x264-params": "tff=1", "strict": "-2", "threads": "1"}
    return {"strict": "-2", "threads": "1", **quiet.get(sample.codec, {})}


def image(number: int, height: int, width: int) -> np.ndarray:
    """A coloured picture that moves with its number."""
    rows, columns = np.indices((height, width))
    red = 128 + 100 * np.sin((columns + 3 * number) / 9)
    green = 128 + 100 * np.cos((rows - 2 * number) / 7)
    blue = (rows + columns) // 4 * 8 % 256 * 0.6 + 8 * number
    return np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8)


def own_frames(path: Path) -> np.ndarray:
    """All frames of a file as FFmpeg decodes and converts them."""
    with opened(path) as (container, stream):
        return np.stack([_rgb(frame) for frame in container.decode(stream)])


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    return np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))


def sweep(folder: Path, readers: dict[str, VideoReader]) -> Iterator[tuple[Sample, dict[str, str]]]:
    """Each file that PyAV's FFmpeg encodes and decodes, and the verdict on each reader."""
    for sample in samples():
        path = write(folder, sample)
        if path is None:
            continue
        try:
            expected = own_frames(path)
        except UserError:  # it encodes what it cannot decode, at least in this container
            continue
        yield sample, {name: verdict(reader, path, expected) for name, reader in readers.items()}
        path.unlink()


def verdict(reader: VideoReader, path: Path, expected: np.ndarray) -> str:
    """Whether a reader gives the expected frames, or refuses the file and says why."""
    try:
        count = reader.count(path)
        whole = reader.read(path, range(count))
        last = reader.read(path, [count - 1])
    except UserError as error:
        return _refusal(str(error), path)
    right = whole.shape == expected.shape and np.array_equal(whole, expected)
    return EQUAL if right and np.array_equal(last, expected[-1:]) else WRONG


def _refusal(text: str, path: Path) -> str:
    if "torchcodec" in text and str(path) not in text:
        return ABSENT
    named = str(path) in text and "PyAVReader" in text and "damaged" not in text
    return f"{REFUSED}: {text.partition('exactly (')[2].partition('):')[0]}" if named else WRONG


HEAD = """# Readers and codecs

Written by `python -m benchmarks.reader_sweep -o docs/readers.md`: videos in every codec and
pixel format that the FFmpeg of PyAV {version} encodes, in several containers. *Equal*: the number
of frames and every frame are those of FFmpeg, bit for bit. *Refused*: the reader raises an error
that names the file, the reason given here, and `PyAVReader`, which reads it. The test suite
repeats the sweep.

`TorchCodecReader` hands files on to `PyAVReader` where torchcodec itself is not exact.

| codec | pixel formats | containers | {readers} |
|---|---|---|{lines}|
"""


def table(rows: Iterator[tuple[Sample, dict[str, str]]]) -> str:
    """The page: samples of one codec with the same verdicts share a row."""
    groups: dict[tuple[str, ...], list[Sample]] = {}
    for sample, verdicts in rows:
        codec = f"{sample.codec} {sample.special}".strip()
        groups.setdefault((codec, *verdicts.values()), []).append(sample)
    lines = [
        f"| {codec} | {_listed(s.pixels for s in group)} | {_listed(s.container for s in group)} | "
        f"{' | '.join(verdicts)} |"
        for (codec, *verdicts), group in groups.items()
    ]
    head = HEAD.format(
        version=av.__version__,
        readers=" | ".join(f"`{name}`" for name in READERS),
        lines="|".join("---" for _ in READERS),
    )
    return head + "\n".join(lines) + "\n"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    with tempfile.TemporaryDirectory() as folder:
        page = table(sweep(Path(folder), READERS))
    write_text(parser.parse_args().output, page)


if __name__ == "__main__":
    main()
