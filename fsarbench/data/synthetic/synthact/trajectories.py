"""Track of an object over the frames of a clip: position, size, rotation, opacity and depth."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float64

Curve = Float64[np.ndarray, " T"]


@dataclass(frozen=True)
class Track:
    """Time-varying properties of an object, one value per frame.

    Attributes:
        x: Horizontal position: -1 to 1 in motion coordinates; in a scene 0 to 1 inside the frame.
        y: Vertical position, downwards, in the same units.
        scale: Factor of the radius.
        width: Factor of the extent along the first axis of the object; negative for its back side.
        angle: Rotation in radians, clockwise.
        opacity: 0 (invisible) to 1.
        depth: Objects with a larger depth are painted in front.
    """

    x: Curve
    y: Curve
    scale: Curve
    width: Curve
    angle: Curve
    opacity: Curve
    depth: Curve

    def backwards(self) -> "Track":
        """Track in reverse time order."""
        return Track(*(getattr(self, field.name)[::-1] for field in fields(self)))

    def rounded(self) -> "Track":
        """Track rounded to multiples of 2^-16.

        Sine and cosine may differ in the last bit between processors. After rounding, all further
        operations have exactly defined IEEE 754 results.
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
        """Track shifted by `dx`, `dy` and `angle`, and multiplied by `scale` and `opacity`."""
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
    """Create a track from curves or constants, with one value per element of `time`.

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
