"""Training frames: random scenes, and clips of training actions only."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from fsarbench.data.synthetic.synthact.actions import ACTIONS, Action
from fsarbench.data.synthetic.synthact.dataset import draw_frames
from fsarbench.data.synthetic.synthact.scene import (
    COLOURS,
    SHAPES,
    SIZES,
    TEXTURES,
    Scene,
    Thing,
    random_background,
    random_look,
)
from fsarbench.data.synthetic.synthact.scene_setup import scene
from fsarbench.data.synthetic.synthact.trajectories import track
from fsarbench.runtime.random_stream import RandomStream

from .augment import Frames
from .captions import Names
from .facts import OBJECTS

TRAIN = tuple(action for action in ACTIONS if action.split == "train")
NAMES = Names(SHAPES, tuple(COLOURS), TEXTURES, tuple(action.name for action in TRAIN))
PHASES = 5
Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def free(seed: int, count: int) -> Part:
    """`count` single frames of scenes that belong to no action."""
    scenes = [free_scene(RandomStream("fsarbench-tiny", seed, i)) for i in range(count)]
    pixels = np.concatenate([draw_frames(s, [0]) for s in scenes])
    nothing = np.full(count, -1)
    return pixels, np.stack([geometry(s, 0) for s in scenes]), nothing, nothing


def acted(action: int, clips: Iterable[int], chosen: int = 6) -> Part:
    """`chosen` frames of each clip of a training action."""
    parts = []
    for clip in clips:
        shown = scene(TRAIN[action], clip)
        chance = RandomStream("fsarbench-tiny", "frames", action, clip)
        steps = shown.frames // chosen
        times = [i * steps + chance.integer(steps) for i in range(chosen)]
        phase = [time * PHASES // shown.frames for time in times]
        known = np.stack([geometry(shown, time) for time in times])
        parts.append((draw_frames(shown, times), known, np.full(chosen, action), np.array(phase)))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore


def free_scene(chance: RandomStream) -> Scene:
    """One still frame of one to three things (and often a tiny bystander) in free places."""
    count = (1, 1, 2, 2, 2, 3)[chance.integer(6)]
    things: list[Thing] = []
    for _ in range(count):
        things.append(_thing(chance, things))
    if chance.happens(0.5):
        x, y, angle = (chance.uniform(0.05, 0.95) for _ in range(3))
        lane = track(x, y, np.zeros(1), angle=7 * angle, depth=-9.0)
        things.append(Thing(random_look(chance, ("tiny",)), lane, distractor=True))
    return Scene(
        tuple(things), random_background(chance), chance.uniform(0.0, 0.06), chance.integer(2**32)
    )


def _thing(chance: RandomStream, others: list[Thing]) -> Thing:
    """A thing anywhere, or (often) close to the first one."""
    x, y = chance.uniform(-0.02, 1.02), chance.uniform(-0.02, 1.02)
    if others and chance.happens(0.4):
        first = others[0].track
        x, y = (float(at[0]) + chance.uniform(-0.28, 0.28) for at in (first.x, first.y))
    scale = chance.uniform(0.6, 2.1) if chance.happens(0.35) else 1.0
    opacity = chance.uniform(0.0, 1.0) if chance.happens(0.25) else 1.0
    angle, depth = chance.uniform(-np.pi, np.pi), chance.uniform(-1.0, 1.0)
    lane = track(x, y, np.zeros(1), scale=scale, opacity=opacity, angle=angle, depth=depth)
    return Thing(random_look(chance), lane)


def geometry(shown: Scene, frame: int) -> np.ndarray:
    """Where the things of a frame are, "O 9"; bystanders are left out, as captions ignore them."""
    rows = np.zeros((OBJECTS, 9), np.float32)
    actors = [(i, thing) for i, thing in enumerate(shown.things) if not thing.distractor]
    order = shown.back_to_front(frame)
    for row, (i, thing) in zip(rows, actors, strict=False):
        way, look = thing.track, thing.look
        row[:4] = (
            way.x[frame],
            way.y[frame],
            SIZES[look.size] * way.scale[frame],
            way.opacity[frame],
        )
        row[4:6] = np.degrees(way.angle[frame]), order.index(i)
        row[6:] = (
            SHAPES.index(look.shape), NAMES.colour.index(look.colour), TEXTURES.index(look.texture)
        )  # fmt: skip
    return rows


def shrink(pixels: np.ndarray, side: int = 64) -> np.ndarray:
    """Frames resized as the data pipeline does: bilinear, with anti-aliasing."""
    import torch.nn.functional as F  # here, so that drawing processes need no torch
    from torch import from_numpy

    small = [
        F.interpolate(
            from_numpy(part).permute(0, 3, 1, 2).float(),
            (side, side),
            mode="bilinear",
            antialias=True,
        )
        for part in np.array_split(pixels, max(1, len(pixels) // 1024))
    ]
    return np.concatenate([part.round().byte().permute(0, 2, 3, 1).numpy() for part in small])


def pool(frames: int, clips: int, seed: int, workers: int) -> Frames:
    """All frames to learn from: `frames` free ones, and `clips` clips of each training action."""
    chunk = 500
    jobs: list[tuple[Callable[..., Part], tuple[Any, ...]]] = [
        (free, (seed * 10_000 + i, chunk)) for i in range(frames // chunk)
    ]
    jobs += [(acted, (action, range(clips))) for action in range(len(TRAIN))]
    with ProcessPoolExecutor(workers) as executor:
        parts = [job.result() for job in [executor.submit(run, *given) for run, given in jobs]]
    pixels = np.concatenate([shrink(part[0]) for part in parts])
    return Frames(pixels, *(np.concatenate([part[i] for part in parts]) for i in (1, 2, 3)))


def clips(actions: list[Action], count: int, frames: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Clips for a look at usefulness: pixels "V T S S 3" at the centres of equal parts, labels."""
    drawn, labels = [], []
    for label, action in enumerate(actions):
        for index in range(count):
            shown = scene(action, index)
            times = [int((i + 0.5) * shown.frames / frames) for i in range(frames)]
            drawn.append(shrink(draw_frames(shown, times)))
            labels.append(label)
    return np.stack(drawn), np.array(labels)
