"""Settings of clips, the config section `clips`; this module does not import torch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from fsarbench.arguments.signatures import CheckedSettings, Conflict
from fsarbench.arguments.value_rules import PositiveInt, ShareWithOne, ShareWithZero
from fsarbench.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ClipSettings(CheckedSettings):
    """Settings of frame sampling, resizing, cropping and augmentation.

    Attributes:
        frames: Frames per clip (T), one from each of T equal segments of the video.
        size: Side of the square crop in pixels; None for the image size of the backbone.
        resize: Short side of the frame before the crop in pixels; None for 256/224 of `size`.
        sampling: Frame per segment at validation and test. Training always takes a random frame.
        flip: Mirror half of the training clips. Wrong where classes depend on direction ("from left
            to right").
        jitter: Strength of colour jitter on training clips: brightness, contrast and saturation are
            multiplied by factors from 1 - jitter to 1 + jitter.
        scale: Minimum and maximum fraction of the frame area for random training crops; None for a
            crop of fixed size and random position.
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
        """Yield conflicts between fields."""
        if self.size and self.resize and self.resize < self.size:
            yield (
                ("resize", "size"),
                f"resize is {self.resize}, expected at least the {self.size} of clips.size",
            )
        if self.scale and self.scale[0] > self.scale[1]:
            yield ("scale",), f"scale is {self.scale}, expected the smaller share first"

    @property
    def stochastic(self) -> bool:
        """Whether test clips differ between episodes, so that features cannot be cached."""
        return self.sampling == "random"

    def resolved(self, image_size: int) -> "ClipSettings":
        """Copy of the settings with `size` and `resize` set for the image size of a backbone.

        Example:
            >>> sized = ClipSettings().resolved(224)
            >>> sized.size, sized.resize
            (224, 256)
        """
        sized = replace(self, size=self.size or image_size)
        return replace(sized, resize=sized.sides()[1])

    def sides(self) -> tuple[int, int]:
        """Side of the crop and short side of the resized frame, in pixels.

        Raises:
            UserError: `size` is None and the settings are not resolved.
        """
        if self.size is None:
            raise UserError("clips.size is not set: give it, or call resolved(image_size) first.")
        return self.size, self.resize or round(self.size * 256 / 224)
