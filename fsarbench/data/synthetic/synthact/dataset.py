"""Plan of the built-in data set `synthact`, and drawing of its scenes by signed distances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from fsarbench.data.synthetic import build
from fsarbench.data.synthetic.build import Clip, Plan, slug
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.synthact.actions import ACTIONS, RECIPE, Action
from fsarbench.data.synthetic.synthact.background import TEXTURES, backdrop, noise, spot
from fsarbench.data.synthetic.synthact.scene import RGB, SIZES, Scene, Thing
from fsarbench.data.synthetic.synthact.scene_setup import scene
from fsarbench.data.synthetic.synthact.shapes import DISTANCES, Plane, single


def render(action: Action, index: int) -> UInt8[np.ndarray, "T H W 3"]:
    """Render clip `index` of an action; the frames are identical on every machine."""
    clip = scene(action, index)
    return draw_frames(clip, range(clip.frames))


FPS = 12
_BY_NAME = {action.name: action for action in ACTIONS}


def plan(train_videos: int = 30, val_videos: int = 30, test_videos: int = 40) -> Plan:
    """Plan of the data set for the given numbers of videos per class.

    Video i of a class does not depend on these numbers.
    """
    counts = {"train": train_videos, "val": val_videos, "test": test_videos}
    clips = tuple(
        Clip(f"{action.split}/{slug(action.name)}/{number:04d}", action.name, action.split, number)
        for action in ACTIONS
        for number in range(counts[action.split])
    )
    return Plan("synthact", RECIPE, clips, frames_of, FPS)


def ensure(
    train_videos: int = 30,
    val_videos: int = 30,
    test_videos: int = 40,
    workers: int | None = None,
    progress: bool = True,
) -> Manifest:
    """Verify the data set and render missing videos (`fsarbench.data.synthetic.build`)."""
    return build.ensure(plan(train_videos, val_videos, test_videos), workers, progress)


def frames_of(clip: Clip) -> UInt8[np.ndarray, "T H W 3"]:
    """Render the frames of a clip of the plan."""
    return render(_BY_NAME[clip.class_name], clip.number)


SIDE = 80
OUTLINE: RGB = (0.06, 0.06, 0.07)


@dataclass(frozen=True)
class _Patch:
    """Rendered object in a square window around its centre, for several frames."""

    colour: Float32[np.ndarray, "T S S 3"]
    cover: Float32[np.ndarray, "T S S"]
    left: Int64[np.ndarray, " T"]
    top: Int64[np.ndarray, " T"]


def draw(scene: Scene, frame: int, side: int = SIDE) -> UInt8[np.ndarray, "H W 3"]:
    """Render one frame of a scene."""
    return draw_frames(scene, [frame], side)[0]


def draw_frames(
    scene: Scene, frames: Sequence[int], side: int = SIDE
) -> UInt8[np.ndarray, "T H W 3"]:
    """Render several frames of a scene."""
    background = backdrop(scene.background, side)
    patches = [_patch(thing, frames, side) for thing in scene.things]
    images = np.empty((len(frames), side, side, 3), np.uint8)
    for position, frame in enumerate(frames):
        canvas = background.copy()
        for index in scene.back_to_front(frame):
            _paint(canvas, patches[index], position)
        if scene.noise > 0:
            canvas += np.float32(scene.noise) * noise(scene.noise_seed, frame, side)
        images[position] = np.clip(canvas * np.float32(255.0) + np.float32(0.5), 0, 255)
    return images


def _paint(canvas: Float32[np.ndarray, "H W 3"], patch: _Patch, position: int) -> None:
    side, span = canvas.shape[0], patch.cover.shape[1]
    left, top = int(patch.left[position]), int(patch.top[position])
    x0, x1 = max(left, 0), min(left + span, side)
    y0, y1 = max(top, 0), min(top + span, side)
    if x0 >= x1 or y0 >= y1:
        return
    inner = (position, slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    under = canvas[y0:y1, x0:x1]
    under += (patch.colour[inner] - under) * patch.cover[inner][:, :, None]


def _patch(thing: Thing, frames: Sequence[int], side: int) -> _Patch:
    track, chosen = thing.track, list(frames)
    radius = single(SIZES[thing.look.size] * track.scale[chosen] * side)
    half = int(np.ceil(radius.max() * np.float32(1.3))) + 2
    centre_x, centre_y = single(track.x[chosen] * side), single(track.y[chosen] * side)
    left = np.floor(centre_x).astype(np.int64) - half
    top = np.floor(centre_y).astype(np.int64) - half
    steps = np.arange(2 * half + 1)
    dx = _column(left) + steps[None, None, :] + 0.5 - _column(centre_x)
    dy = _column(top) + steps[None, :, None] + 0.5 - _column(centre_y)
    x, y = _object_axes(thing, chosen, single(dx), single(dy), radius)
    # Distances shrink with the width, so that a flipping object keeps an anti-aliased outline.
    pixels = radius * np.minimum(np.abs(single(track.width[chosen])), np.float32(1.0))
    distance = DISTANCES[thing.look.shape](x, y) * _column(np.maximum(pixels, np.float32(0.5)))
    cover = _inside(distance) * _column(single(track.opacity[chosen]))
    return _Patch(_surface(thing, x, y, distance), cover, left, top)


def _object_axes(
    thing: Thing, chosen: list[int], dx: Plane, dy: Plane, radius: Float32[np.ndarray, " T"]
) -> tuple[Plane, Plane]:
    angle, width = thing.track.angle[chosen], single(thing.track.width[chosen])
    cos = _column(single(np.round(np.cos(angle), 6)))
    sin = _column(single(np.round(np.sin(angle), 6)))
    x = (cos * dx + sin * dy) / _column(radius * width)
    y = (cos * dy - sin * dx) / _column(radius)
    return x, y


def _surface(thing: Thing, x: Plane, y: Plane, distance: Plane) -> Float32[np.ndarray, "T S S 3"]:
    base, accent = single(thing.look.base), single(thing.look.accent)
    dark = single(thing.look.base).sum() > np.float32(1.2)
    mark = single(OUTLINE) if dark else single([1.0, 1.0, 1.0])
    colour = base + (accent - base) * TEXTURES[thing.look.texture](x, y)[..., None]
    colour = colour + (mark - colour) * spot(x, y)[..., None]
    body = _inside(distance + np.float32(1.1))
    outline = single(OUTLINE)
    return outline + (colour - outline) * body[..., None]


def _inside(distance: Plane) -> Plane:
    return np.clip(np.float32(0.5) - distance, np.float32(0.0), np.float32(1.0))


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]
