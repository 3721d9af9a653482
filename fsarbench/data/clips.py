"""From a video file to the clip that a backbone takes, save the normalisation.

The backbone normalises on its own device, so that clips travel as bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import torch
from jaxtyping import Num, UInt8
from torch import Tensor
from torch.nn import functional as F

from fsarbench.arguments.signatures import CheckedSettings, Conflict
from fsarbench.arguments.value_rules import PositiveInt, ShareWithOne, ShareWithZero
from fsarbench.data.augmentation import Box, centre_box, jittered, random_box, scaled_box
from fsarbench.errors import UserError
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import VideoReader


@dataclass(frozen=True, kw_only=True)
class ClipSettings(CheckedSettings):
    """How clips are cut from videos.

    Attributes:
        frames: Frames of a clip (T), one from each of T equal segments of the video.
        size: The side of the square crop in pixels; None for the backbone's own image size.
        resize: The short side in pixels that a frame has before the crop; None for 256/224 of
            `size`.
        sampling: Which frame of a segment is taken at validation and test. Training always takes a
            random one.
        flip: Mirror half of the training clips. Wrong where direction is meaning ("from left to
            right").
        jitter: How strongly the colours of training clips vary: brightness, contrast and saturation
            are multiplied by factors from 1 - jitter to 1 + jitter.
        scale: The least and the largest share of a frame's area that a training crop takes; None
            for a crop of fixed size and random place.
    """

    section: ClassVar[str] = "clips"

    frames: PositiveInt = 8
    size: PositiveInt | None = None
    resize: PositiveInt | None = None
    sampling: Literal["centre", "random"] = "centre"
    flip: bool = False
    jitter: ShareWithZero = 0.0
    scale: tuple[ShareWithOne, ShareWithOne] | None = None

    def conflicts(self) -> Iterator[Conflict]:
        """Fields that do not fit together."""
        if self.size and self.resize and self.resize < self.size:
            yield (
                ("resize", "size"),
                f"resize is {self.resize}, expected at least the {self.size} of clips.size",
            )
        if self.scale and self.scale[0] > self.scale[1]:
            yield ("scale",), f"scale is {self.scale}, expected the smaller share first"

    @property
    def stochastic(self) -> bool:
        """Whether a test clip changes from episode to episode, so that no feature can be kept."""
        return self.sampling == "random"

    def resolved(self, image_size: int) -> "ClipSettings":
        """The same settings with `size` and `resize` filled in for a backbone's image size.

        Example:
            >>> sized = ClipSettings().resolved(224)
            >>> sized.size, sized.resize
            (224, 256)
        """
        sized = replace(self, size=self.size or image_size)
        return replace(sized, resize=sized.sides()[1])

    def sides(self) -> tuple[int, int]:
        """The side of the crop and the short side of the frame before it, in pixels.

        Raises:
            UserError: `size` was left to the backbone, and no backbone has filled it in.
        """
        if self.size is None:
            raise UserError("clips.size is not set: give it, or call resolved(image_size) first.")
        return self.size, self.resize or round(self.size * 256 / 224)


def segment_frames(count: int, frames: int, chance: RandomStream | None = None) -> list[int]:
    """One frame from each of `frames` equal segments of a video of `count` frames.

    A video of fewer frames repeats some.

    Args:
        count: Frames of the video.
        frames: Frames of the clip.
        chance: Picks a random frame of each segment; None takes the centre.

    Example:
        >>> segment_frames(32, 8)
        [2, 6, 10, 14, 18, 22, 26, 30]
        >>> segment_frames(3, 8)
        [0, 0, 0, 1, 1, 2, 2, 2]
    """
    shifts = [0.5 if chance is None else chance.uniform(0.0, 1.0) for _ in range(frames)]
    # min: rounding may carry a shift just below 1 up to the next segment, of the last one to count.
    picked = ((k + shift) * count / frames for k, shift in enumerate(shifts))
    return [min(int(frame), count - 1) for frame in picked]


def load_clip(
    reader: VideoReader,
    path: Path,
    settings: ClipSettings,
    chance: RandomStream | None = None,
    augment: bool = True,
) -> UInt8[Tensor, "T 3 H W"]:
    """A clip of a video file, cut and sized, as bytes.

    Args:
        reader: Who decodes.
        path: The video.
        settings: How the clip is cut; resolved for the backbone's image size.
        chance: Where all random draws come from; None for centre frames and the centre crop.
        augment: Whether `chance` also places the crop, flips and colours, and not only picks
            frames.

    Raises:
        UserError: The video is missing or cannot be decoded.
    """
    picked = segment_frames(reader.count(path), settings.frames, chance)
    frames = torch.from_numpy(reader.read(path, picked)).permute(0, 3, 1, 2)
    return cut(frames, settings, chance if augment else None)


def cut(
    frames: UInt8[Tensor, "T 3 H W"], settings: ClipSettings, chance: RandomStream | None = None
) -> UInt8[Tensor, "T 3 S S"]:
    """Resizes the short side, crops a square and, with `chance`, flips and colours it.

    Args:
        frames: Whole frames.
        settings: Resolved settings.
        chance: Where the draws come from; None for the centre crop alone.
    """
    images = _framed(frames, settings, chance)
    if chance is not None and settings.flip and chance.happens(0.5):
        images = images.flip(-1)
    if chance is not None and settings.jitter > 0:
        images = jittered(images.float(), settings.jitter, chance)
    return as_bytes(images).contiguous()


def as_bytes(images: Num[Tensor, "T 3 H W"]) -> UInt8[Tensor, "T 3 H W"]:
    """Values rounded to bytes; bytes are left as they are."""
    return images if images.dtype == torch.uint8 else images.round().clamp(0, 255).to(torch.uint8)


def _resized(images: Num[Tensor, "T 3 H W"], height: int, width: int) -> Num[Tensor, "T 3 h w"]:
    # Bytes that need no resizing stay bytes, which crops faster than it converts.
    if images.shape[-2:] == (height, width):
        return images
    size = (height, width)
    return F.interpolate(images.float(), size, mode="bilinear", align_corners=False, antialias=True)


def shortened(images: Num[Tensor, "T 3 H W"], side: int) -> Num[Tensor, "T 3 h w"]:
    """Frames resized so that their short side has `side` pixels; bytes only if they had it."""
    height, width = images.shape[-2:]
    return _resized(images, *_short_side(height, width, side))


def _short_side(height: int, width: int, side: int) -> tuple[int, int]:
    short = min(height, width)
    return round(height * side / short), round(width * side / short)


def _cropped(images: Num[Tensor, "T 3 H W"], box: Box) -> Num[Tensor, "T 3 h w"]:
    top, left, height, width = box
    return images[..., top : top + height, left : left + width]


def _framed(
    images: UInt8[Tensor, "T 3 H W"], settings: ClipSettings, chance: RandomStream | None
) -> Num[Tensor, "T 3 S S"]:
    size, resize = settings.sides()
    height, width = images.shape[-2:]
    if chance is not None and settings.scale is not None:
        box = scaled_box(height, width, settings.scale, chance)
        return _resized(_cropped(images, box), size, size)
    whole = shortened(images, resize)
    height, width = whole.shape[-2:]
    box = (
        centre_box(height, width, size)
        if chance is None
        else random_box(height, width, size, chance)
    )
    return _cropped(whole, box)
