"""Paths of side files of videos, found without torch and without reading them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fsarbench.data.video_files import without_suffix
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video


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
