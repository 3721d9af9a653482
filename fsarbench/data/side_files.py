"""Side files of videos, such as tracks, flow or skeletons: one NumPy array per video and name."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Num
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.video import Video


def load_extra(videos: Sequence[Video], names: Sequence[str]) -> dict[str, Num[Tensor, "V ..."]]:
    """Side data of several videos by name, stacked over the videos.

    Args:
        videos: Videos.
        names: Names of the side data.

    Raises:
        UserError: A side file is missing or damaged, or the arrays of two videos have different
            shapes.
    """
    extra: dict[str, Tensor] = {}
    for name in names:
        arrays = [_load(video, name) for video in videos]
        for video, array in zip(videos, arrays, strict=True):
            if array.shape != arrays[0].shape:
                raise UserError(
                    f"Side data '{name}': the array of {video.id} has the shape {array.shape}, "
                    f"that of {videos[0].id} {arrays[0].shape}; expected equal shapes."
                )
        extra[name] = torch.from_numpy(np.stack(arrays))
    return extra


def _load(video: Video, name: str) -> np.ndarray:
    file = video.extra.get(name)
    if file is None:
        raise UserError(
            f"The video {video.id} has no side data '{name}': give the data set extra = "
            f"dict({name}='FOLDER/{{id}}.npy')."
        )
    try:
        array: np.ndarray = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"Side data '{name}' of the video {video.id}: {file} cannot be read as a NumPy array "
            f"({error})."
        ) from error
    return array
