"""Plan and videos of the built-in data set `synthact`."""

import numpy as np
from jaxtyping import UInt8

from fsarbench.data.synthetic import build
from fsarbench.data.synthetic.build import Clip, Plan, slug
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.synthact.actions import ACTIONS, RECIPE, Action
from fsarbench.data.synthetic.synthact.draw import draw_frames
from fsarbench.data.synthetic.synthact.scene_setup import scene


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
