"""Packets of frames that no other frame depends on, so that they need not be decoded.

H.264 states it in each packet (`nal_ref_idc` 0; ITU-T H.264, 7.4.1). In MPEG-4 part 2 these are the
B-frames (`vop_coding_type` 2; ISO/IEC 14496-2, 6.3.5). HEVC states it per temporal layer only, so
its packets are always decoded.
"""

from collections.abc import Callable
from typing import Any

# H.264 NAL units that may be left out with the frame: slices, delimiters and filler data. Parameter
# sets and SEI messages may apply to later frames.
SLICE, LEFT_OUT = 1, frozenset({1, 9, 12})
VOP, B_FRAME = b"\x00\x00\x01\xb6", 2

IsUnreferenced = Callable[[Any], bool]


def nothing_unreferenced(packet: Any) -> bool:
    """Whether a packet may be left out, for codecs whose packets do not state it."""
    del packet
    return False


def unreferenced_in(codec: Any) -> IsUnreferenced:
    """Function that returns whether no other frame depends on a packet of a codec context."""
    if codec.name == "mpeg4":
        return is_mpeg4_b_frame
    header = bytes(codec.extradata or b"")
    # With 1 as first byte it is an `avcC` box (ISO/IEC 14496-15), and NAL units have a length.
    if codec.name != "h264" or len(header) < 7 or header[0] != 1:
        return nothing_unreferenced
    width = (header[4] & 3) + 1

    def is_h264_unreferenced(packet: Any) -> bool:
        return has_only_unreferenced_slices(memoryview(packet), width)

    return is_h264_unreferenced


def has_only_unreferenced_slices(data: memoryview | bytes, width: int) -> bool:
    r"""Whether the NAL units of an H.264 packet are slices that no other frame depends on.

    Args:
        data: Packet of NAL units, each after its length.
        width: Bytes of a length.

    Example:
        >>> has_only_unreferenced_slices(b"\x00\x02\x01\xff", 2)
        True
        >>> has_only_unreferenced_slices(b"\x00\x02\x41\xff", 2)
        False
    """
    position, slices = 0, 0
    while position + width < len(data):
        start = position + width
        kind = data[start] & 31
        if kind not in LEFT_OUT or (kind == SLICE and data[start] & 0x60):
            return False
        slices += kind == SLICE
        position = start + int.from_bytes(data[position:start], "big")
    return position == len(data) and slices > 0


def is_mpeg4_b_frame(packet: Any) -> bool:
    """Whether an MPEG-4 packet is one B-frame and nothing else.

    Packed packets (DivX) hold two frames, so they are decoded.
    """
    data = bytes(packet)
    if not data.startswith(VOP) or len(data) <= len(VOP):
        return False
    return data[len(VOP)] >> 6 == B_FRAME and data.count(VOP) == 1
