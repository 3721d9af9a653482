"""Frame sampling, resizing, cropping and augmentation of clips.

Clips are uint8; the backbone normalises them on its own device. Augmentation draws once per clip,
for all of its frames.
"""

import math
from pathlib import Path

import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor
from torch.nn import functional as F

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import VideoReader

Box = tuple[int, int, int, int]  # top, left, height and width in pixels


def segment_frames(count: int, frames: int, rng: RandomStream | None = None) -> list[int]:
    """Sample one frame index from each of `frames` equal segments of a video.

    If the video has fewer frames than the clip, indices repeat.

    Args:
        count: Number of frames in the video.
        frames: Number of frames in the clip.
        rng: Random stream for one frame per segment; None for segment centres.

    Example:
        >>> segment_frames(32, 8)
        [2, 6, 10, 14, 18, 22, 26, 30]
        >>> segment_frames(3, 8)
        [0, 0, 0, 1, 1, 2, 2, 2]
    """
    shifts = [0.5 if rng is None else rng.uniform(0.0, 1.0) for _ in range(frames)]
    # min: rounding may move a shift just below 1 to the next segment, past the last frame.
    positions = ((k + shift) * count / frames for k, shift in enumerate(shifts))
    return [min(int(frame), count - 1) for frame in positions]


def load_clip(
    reader: VideoReader,
    path: Path,
    settings: ClipSettings,
    rng: RandomStream | None = None,
    augment: bool = True,
) -> UInt8[Tensor, "T 3 H W"]:
    """Decode, resize and crop one clip of a video file.

    Args:
        reader: Video reader.
        path: Video file.
        settings: Clip settings, resolved for the image size of the backbone.
        rng: Random stream; None for centre frames and the centre crop.
        augment: Whether `rng` also draws crop, flip and colour jitter, besides the frames.

    Raises:
        UserError: The video is missing or cannot be decoded.
    """
    indices = segment_frames(reader.count(path), settings.frames, rng)
    frames = torch.from_numpy(reader.read(path, indices)).permute(0, 3, 1, 2)
    return prepare_clip(frames, settings, rng if augment else None)


def prepare_clip(
    frames: UInt8[Tensor, "T 3 H W"], settings: ClipSettings, rng: RandomStream | None = None
) -> UInt8[Tensor, "T 3 S S"]:
    """Resize the short side, crop a square and, with `rng`, flip and jitter colours.

    Args:
        frames: Full frames.
        settings: Resolved clip settings.
        rng: Random stream; None for the centre crop without augmentation.
    """
    images = _resize_and_crop(frames, settings, rng)
    if rng is not None and settings.flip and rng.happens(0.5):
        images = images.flip(-1)
    if rng is not None and settings.jitter > 0:
        images = jittered(images.float(), settings.jitter, rng)
    return to_uint8(images).contiguous()


def to_uint8(images: Num[Tensor, "T 3 H W"]) -> UInt8[Tensor, "T 3 H W"]:
    """Round values to uint8; return uint8 tensors unchanged."""
    return images if images.dtype == torch.uint8 else images.round().clamp(0, 255).to(torch.uint8)


def _resized(images: Num[Tensor, "T 3 H W"], height: int, width: int) -> Num[Tensor, "T 3 h w"]:
    # uint8 frames that need no resizing stay uint8: cropping first is faster than converting.
    if images.shape[-2:] == (height, width):
        return images
    # Frame by frame, because the float copy of one frame fits into the caches, and with the
    # channels apart, which is faster. The result is laid out in memory as that of one call for all
    # frames, because the rounding of later sums depends on the layout.
    layout = torch.channels_last if images.stride(1) == 1 else torch.contiguous_format
    shape = (*images.shape[:2], height, width)
    resized = torch.empty(shape, device=images.device, memory_format=layout)
    for image, result in zip(images, resized, strict=True):
        result.copy_(_interpolated(image[None].float(), height, width)[0])
    return resized


def _interpolated(
    image: Float[Tensor, "1 3 H W"], height: int, width: int
) -> Float[Tensor, "1 3 h w"]:
    size = (height, width)
    return F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)


def resize_short_side(images: Num[Tensor, "T 3 H W"], side: int) -> Num[Tensor, "T 3 h w"]:
    """Resize the short side of frames to `side` pixels; float unless the size is unchanged."""
    height, width = images.shape[-2:]
    short = min(height, width)
    return _resized(images, round(height * side / short), round(width * side / short))


def _cropped(images: Num[Tensor, "T 3 H W"], box: Box) -> Num[Tensor, "T 3 h w"]:
    top, left, height, width = box
    return images[..., top : top + height, left : left + width]


def _resize_and_crop(
    images: UInt8[Tensor, "T 3 H W"], settings: ClipSettings, rng: RandomStream | None
) -> Num[Tensor, "T 3 S S"]:
    size, resize = settings.sides()
    height, width = images.shape[-2:]
    if rng is not None and settings.scale is not None:
        box = scaled_box(height, width, settings.scale, rng)
        return _resized(_cropped(images, box), size, size)
    resized = resize_short_side(images, resize)
    height, width = resized.shape[-2:]
    box = centre_box(height, width, size) if rng is None else random_box(height, width, size, rng)
    return _cropped(resized, box)


def centre_box(height: int, width: int, side: int) -> Box:
    """Top, left, height and width of a centred square of `side` pixels.

    Example:
        >>> centre_box(73, 100, 64)
        (4, 18, 64, 64)
    """
    return (height - side) // 2, (width - side) // 2, side, side


def random_box(height: int, width: int, side: int, rng: RandomStream) -> Box:
    """Square of `side` pixels at a random position."""
    return rng.integer(height - side + 1), rng.integer(width - side + 1), side, side


def scaled_box(height: int, width: int, scale: tuple[float, float], rng: RandomStream) -> Box:
    """Box of random position, area and aspect ratio (3:4 to 4:3), as in RandomResizedCrop.

    Args:
        height: Frame height in pixels.
        width: Frame width in pixels.
        scale: Minimum and maximum fraction of the frame area.
        rng: Random stream.
    """
    area = height * width * rng.uniform(*scale)
    ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    box_height = min(height, max(1, round(math.sqrt(area / ratio))))
    box_width = min(width, max(1, round(math.sqrt(area * ratio))))
    return (
        rng.integer(height - box_height + 1),
        rng.integer(width - box_width + 1),
        box_height,
        box_width,
    )


def jittered(
    frames: Float[Tensor, "T 3 H W"], strength: float, rng: RandomStream
) -> Float[Tensor, "T 3 H W"]:
    """Scale brightness, contrast and saturation by factors from 1 - strength to 1 + strength.

    Args:
        frames: Values from 0 to 255, as in the result.
        strength: Jitter strength, 0 (no change) to below 1.
        rng: Random stream.
    """
    bright, contrast, saturation = (rng.uniform(1 - strength, 1 + strength) for _ in range(3))
    frames = (frames * bright).clamp(0, 255)
    frames = _scaled_around(_grey(frames).mean(), frames, contrast)
    return _scaled_around(_grey(frames), frames, saturation)


def _grey(frames: Float[Tensor, "T 3 H W"]) -> Float[Tensor, "T 1 H W"]:
    # The luma weights of ITU-R BT.601, as in common image libraries.
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (frames * weights).sum(dim=1, keepdim=True)


def _scaled_around(
    anchor: Float[Tensor, "..."], frames: Float[Tensor, "T 3 H W"], factor: float
) -> Float[Tensor, "T 3 H W"]:
    return (anchor + factor * (frames - anchor)).clamp(0, 255)
