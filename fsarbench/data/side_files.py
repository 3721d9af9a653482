"""Side files of videos, such as tracks, flow or skeletons: one NumPy array per video and name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Num
from torch import Tensor

from fsarbench.data.video_files import without_suffix
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video


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


def with_side_files(
    splits: Mapping[SplitName, Split], root: Path, templates: Mapping[str, str] | None
) -> dict[SplitName, Split]:
    """Splits with the paths of the side files of each video.

    Args:
        splits: Splits of a data set.
        root: Folder at which relative paths start.
        templates: Path of the side file by name, with `{id}` for the id of a video, or `{stem}` for
            the id without its file suffix.

    Raises:
        UserError: A template has neither field, or a side file does not exist.
    """
    if not templates:
        return dict(splits)
    for name, template in templates.items():
        if "{id}" not in template and "{stem}" not in template:
            raise UserError(
                f"dataset.extra: {name} is '{template}', expected a path with {{id}} or {{stem}}, "
                f"such as '{name}/{{stem}}.npy'."
            )

    def of_video(video: Video) -> Video:
        stem = without_suffix(video.id)
        files = {
            name: root / template.replace("{id}", video.id).replace("{stem}", stem)
            for name, template in templates.items()
        }
        for name, file in files.items():
            if not file.is_file():
                raise UserError(
                    f"dataset.extra: the side file '{name}' of the video {video.id} is missing: "
                    f"{file}."
                )
        return replace(video, extra=files)

    return {
        name: replace(split, videos=tuple(map(of_video, split.videos)))
        for name, split in splits.items()
    }
