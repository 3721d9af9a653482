"""Clips of the actions, as frames."""

import numpy as np
from jaxtyping import UInt8

from fsarbench.data.synthetic.synthact.actions import Action
from fsarbench.data.synthetic.synthact.draw import draw_frames
from fsarbench.data.synthetic.synthact.scene_setup import scene


def render(action: Action, index: int) -> UInt8[np.ndarray, "T H W 3"]:
    """The frames of clip number `index` of an action; the same on every machine."""
    clip = scene(action, index)
    return draw_frames(clip, range(clip.frames))
