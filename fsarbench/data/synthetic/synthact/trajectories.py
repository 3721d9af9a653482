"""What a thing does over the frames of a clip."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float64

Curve = Float64[np.ndarray, " T"]


@dataclass(frozen=True)
class Track:
    """One value a frame for everything about a thing that can change.

    On the stage, `x` and `y` run from -1 to 1; in a scene they are shares of the frame's side,
    0 to 1 inside it, with `y` pointing down. `scale` multiplies the look's radius, `width` the
    side along the thing's own first axis (negative: seen from behind), `angle` is in radians and
    turns clockwise, `opacity` is 0 to 1, and a greater `depth` is in front.
    """

    x: Curve
    y: Curve
    scale: Curve
    width: Curve
    angle: Curve
    opacity: Curve
    depth: Curve

    def backwards(self) -> "Track":
        """The same track, last frame first."""
        return Track(*(getattr(self, field.name)[::-1] for field in fields(self)))

    def rounded(self) -> "Track":
        """The track on a grid of 2 to the power -16.

        Sine and cosine differ in their last bit between processors; rounding takes that away, and
        all arithmetic after it is exact by the floating-point standard.
        """
        return Track(*(_on_grid(getattr(self, field.name)) for field in fields(self)))

    def blended(
        self,
        dx: Curve | float = 0.0,
        dy: Curve | float = 0.0,
        scale: Curve | float = 1.0,
        angle: Curve | float = 0.0,
        opacity: Curve | float = 1.0,
    ) -> "Track":
        """The track shifted by `dx`, `dy` and `angle`, and multiplied by `scale` and `opacity`."""
        return replace(
            self,
            x=self.x + dx,
            y=self.y + dy,
            scale=self.scale * scale,
            angle=self.angle + angle,
            opacity=self.opacity * opacity,
        )


def track(
    x: Curve | float,
    y: Curve | float,
    time: Curve,
    scale: Curve | float = 1.0,
    width: Curve | float = 1.0,
    angle: Curve | float = 0.0,
    opacity: Curve | float = 1.0,
    depth: Curve | float = 0.0,
) -> Track:
    """A track from curves or constants, as long as `time`.

    Example:
        >>> track(0.0, 1.0, np.linspace(0.0, 1.0, 3)).y.tolist()
        [1.0, 1.0, 1.0]
    """
    values = (x, y, scale, width, angle, opacity, depth)
    return Track(
        *(np.array(np.broadcast_to(value, time.shape), dtype=np.float64) for value in values)
    )


def _on_grid(curve: Curve) -> Curve:
    return np.round(curve * 65536.0) / 65536.0
