"""Video reader based on PyAV, whose wheels contain FFmpeg."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from fsarbench.data.readers.streams import (
    Timeline,
    errors_name,
    kept_frames,
    opened,
    require_frames,
    timeline,
)
from fsarbench.data.readers.unreferenced import nothing_unreferenced, unreferenced_in
from fsarbench.registry import READERS
from fsarbench.video import VideoReader

Frame = UInt8[np.ndarray, "H W 3"]
# A packet with the index of its frame, which is -1 if the packet has no frame that is shown.
Indexed = tuple[Any, int]


@READERS.register_module()
class PyAVReader(VideoReader):
    """Reader based on PyAV (FFmpeg); the default reader.

    It returns the same frames as decoding the file from its start. If every frame has a distinct
    time stamp (MP4, MOV, Matroska, WebM), it seeks to the last key frame before a requested frame
    and compares the time stamps of all frames that it decodes. If a time stamp differs, and in all
    other files (AVI, MPEG, ...), it decodes from the first frame. Frames that are not requested and
    that no other frame depends on are not decoded (H.264 in MP4, MOV and Matroska; MPEG-4 part 2).
    It uses one thread, because the workers already use all cores.

    Frames are rotated according to the display matrix of the file, as video players do. Non-square
    pixels (sample aspect ratio) are not stretched. An alpha channel is dropped.
    """

    def count(self, path: Path) -> int:
        """Number of frames that can be decoded."""
        return timeline(path).count

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order."""
        frame_times = timeline(path)
        require_frames(path, indices, frame_times.count)
        wanted = sorted(set(indices))
        if kept := kept_frames(path):
            to_rgb = RGBConverter()
            with errors_name(path):
                frames = {index: to_rgb(kept[index]) for index in wanted}
                return np.stack([frames[index] for index in indices])
        for select in _attempts(frame_times):
            with opened(path) as (container, stream):
                frames = select(container, stream, frame_times, wanted)
                if frames:
                    return np.stack([frames[index] for index in indices])
        return decode_from_start(path, indices)


def _attempts(frame_times: Timeline) -> Sequence[Callable[..., dict[int, Frame]]]:
    """Functions to try before decoding all frames from the first one."""
    if frame_times.stamps:
        # In a damaged file FFmpeg fills gaps with what it decoded before, so nothing is left out.
        return _seek, partial(_seek, all_packets=True)
    return (_in_order,) if frame_times.order else ()


def decode_from_start(path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
    """RGB frames at the given indices, decoded from the first frame of the file.

    Raises:
        UserError: The file is missing, cannot be decoded, or is too short.
    """
    wanted, last = set(indices), max(indices)
    frames: dict[int, Frame] = {}
    count = 0
    to_rgb = RGBConverter()
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            if count in wanted:
                frames[count] = to_rgb(frame)
            count += 1
            if count > last:
                break
        require_frames(path, indices, count if count <= last else last + 1)
        # Inside the block, so that an error about frames of several sizes names the file.
        return np.stack([frames[index] for index in indices])


class RGBConverter:
    """Conversion of decoded frames to RGB images; one converter per video and thread.

    The tables of FFmpeg's conversion are built once, and not for every frame. The conversion uses
    one thread: by default FFmpeg starts one per core for every frame.
    """

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> Frame:
        """RGB image of a decoded frame, rotated according to its display matrix."""
        image = self.reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        return np.rot90(image, round(frame.rotation / 90))


def _seek(
    container: Any,
    stream: Any,
    frame_times: Timeline,
    indices: list[int],
    all_packets: bool = False,
) -> dict[int, Frame]:
    """Frames at sorted indices; empty if a decoded frame does not have the expected time stamp."""

    def index_of(item: Any) -> int:
        return frame_times.index_of(item.pts)

    frames: dict[int, Frame] = {}
    to_rgb = RGBConverter()
    for key, group in _groups(frame_times, indices):
        if key > 0:
            container.seek(frame_times.stamps[key], stream=stream)
        packets = ((p, -1 if p.is_discard else index_of(p)) for p in container.demux(stream))
        decoding = Decoding(stream.codec_context, index_of, to_rgb, all_packets)
        found = decoding.frames(packets, set(group), from_key=key > 0)
        if not found:
            return {}
        frames.update(found)
    return frames


def _groups(frame_times: Timeline, indices: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Sorted indices in groups, each with the key frame where its decoding starts."""
    start, group = frame_times.key_before(indices[0]), [indices[0]]
    for index in indices[1:]:
        key = frame_times.key_before(index)
        if key > group[-1] + 1:
            yield start, group
            start, group = key, []
        group.append(index)
    yield start, group


def _in_order(
    container: Any, stream: Any, frame_times: Timeline, indices: list[int]
) -> dict[int, Frame]:
    """Frames at sorted indices, from the first packet; empty if a packet has another frame."""
    codec, order = stream.codec_context, frame_times.order
    codec.copy_opaque = True

    def numbered() -> Iterator[Indexed]:
        for number, packet in enumerate(container.demux(stream)):
            packet.opaque = order[number] if number < len(order) else -1
            yield packet, packet.opaque

    def index_of(frame: Any) -> int:
        return -1 if frame.opaque is None else int(frame.opaque)

    return Decoding(codec, index_of, RGBConverter()).frames(numbered(), set(indices))


class Decoding:
    """Decoding of requested frames from packets, with a check of every decoded frame.

    Args:
        codec: Codec context.
        index_of: Index of a decoded frame; -1 if it is unknown.
        to_rgb: Converter of frames.
        all_packets: Whether to decode packets that no other frame depends on, and damaged frames.
    """

    def __init__(
        self,
        codec: Any,
        index_of: Callable[[Any], int],
        to_rgb: Callable[[Any], Frame],
        all_packets: bool = False,
    ) -> None:
        self.codec = codec
        self.index_of = index_of
        self.to_rgb = to_rgb
        self.all_packets = all_packets
        # Indices of frames whose packets were decoded and that have not come out, as a heap.
        self.expected: list[int] = []

    def frames(
        self, packets: Iterable[Indexed], wanted: set[int], from_key: bool = False
    ) -> dict[int, Frame]:
        """Requested frames by index; empty if a decoded frame is damaged or not the expected one.

        Args:
            packets: Packets in the order of the file, with the indices of their frames.
            wanted: Indices of the requested frames.
            from_key: Whether to ignore frames before the first key frame, which depend on frames
                that were not decoded. Key frames that are not intra-coded pictures (periodic intra
                refresh) are not exact either.
        """
        frames: dict[int, Frame] = {}
        first = 0
        for frame in self._decoded(packets, wanted):
            index = self.index_of(frame)
            if from_key:
                if not (frame.key_frame and frame.pict_type == av.video.frame.PictureType.I):
                    continue
                from_key, first = False, index
            damaged = frame.is_corrupt and not self.all_packets
            if damaged or self._next_expected(first) != index:
                return {}
            if index in wanted:
                frames[index] = self.to_rgb(frame)
            if len(frames) == len(wanted):
                return frames
        return {}

    def _decoded(self, packets: Iterable[Indexed], wanted: set[int]) -> Iterator[Any]:
        unreferenced = nothing_unreferenced if self.all_packets else unreferenced_in(self.codec)
        missing = set(wanted)
        for packet, index in packets:
            if index not in wanted and unreferenced(packet):
                continue
            if index >= 0:
                heappush(self.expected, index)
            missing.discard(index)
            yield from packet.decode()
            if not missing:
                # The remaining frames wait for later packets only because of their order.
                yield from self.codec.decode(None)
                return

    def _next_expected(self, first: int) -> int | None:
        while self.expected:
            index = heappop(self.expected)
            if index >= first:
                return index
        return None
