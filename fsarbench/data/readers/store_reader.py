"""Reader for frame stores written by `fsarbench data cache`."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.data.frame_store.formats import read_frames
from fsarbench.data.frame_store.index import (
    SETTINGS,
    Stored,
    StoreSettings,
    frames_file,
    read_index,
    read_settings,
)
from fsarbench.data.paths import expand_path
from fsarbench.data.readers.streams import require_frames
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader


@READERS.register_module()
class StoreReader(VideoReader):
    """Reader for frames in a store, without decoding videos.

    A video that changed after it was stored is an error. Each process opens the store separately.

    Args:
        root: Folder of the store; `~` and `$NAME` are expanded.
        videos: Folder of the videos, which the paths in the store are relative to; None for the
            parent folder of the store.
    """

    def __init__(self, root: NonEmptyStr, videos: NonEmptyStr | None = None) -> None:
        self.root = root
        self.videos = videos
        # Videos whose modification time changed but not their bytes, such as copies.
        self._unchanged: set[Path] = set()

    def __getstate__(self) -> dict[str, object]:
        """State without the index, which another process reads when it needs it."""
        return {"root": self.root, "videos": self.videos, "_unchanged": set()}

    def count(self, path: Path) -> int:
        """Number of frames of a video."""
        return self._stored(path).frames

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in the given order."""
        video = self._stored(path)
        require_frames(path, indices, video.frames)
        file = frames_file(self._folder, self._settings, video.path)
        try:
            return read_frames(file, self._settings.format, indices)
        except UserError:
            raise
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise UserError(
                f"The stored frames of {path} cannot be read ({file}: {error}): delete that file "
                "and run `fsarbench data cache` again."
            ) from error

    def stored_frames(self) -> dict[str, int | str | None]:
        """Maximum short side in pixels, and format of the frames in the store."""
        return asdict(self._settings)

    def source(self, path: Path) -> Path:
        """File of the video's frames in the store."""
        return frames_file(self._folder, self._settings, self._stored(path).path)

    @cached_property
    def _folder(self) -> Path:
        return expand_path(self.root, "reader.root")

    @cached_property
    def _video_folder(self) -> Path:
        return expand_path(self.videos, "reader.videos") if self.videos else self._folder.parent

    @cached_property
    def _settings(self) -> StoreSettings:
        settings = read_settings(self._folder)
        if settings is None:
            raise UserError(
                f"There is no frame store in {self._folder} (reader.root; it has no {SETTINGS}): "
                "create one with `fsarbench data cache`."
            )
        return settings

    @cached_property
    def _index(self) -> dict[str, Stored]:
        if self._settings and not (index := read_index(self._folder)):
            raise UserError(
                f"The frame store {self._folder} is incomplete: run `fsarbench data cache` again; "
                "it continues where it stopped."
            )
        return index

    def _stored(self, path: Path) -> Stored:
        index = self._index
        try:
            video = index.get(path.relative_to(self._video_folder).as_posix())
        except ValueError:
            raise UserError(
                f"The video {path} is not in {self._video_folder}, the folder of videos of the "
                f"frame store {self._folder}: set reader.videos to the folder of the videos."
            ) from None
        if video is None:
            raise UserError(
                f"The video {path} is not in the frame store {self._folder}: run `fsarbench data "
                "cache` again; it adds the video or prints why it cannot be added."
            )
        if path not in self._unchanged:
            self._require_unchanged(path, video)
        return video

    def _require_unchanged(self, path: Path, video: Stored) -> None:
        try:
            if stamp_of(path) == video.stamp:
                return
            if digest_of(path) == video.digest:
                self._unchanged.add(path)
                return
        except OSError as error:
            raise UserError(
                f"The video {path} is missing ({error.strerror}): restore it, or remove it from "
                "the data set."
            ) from error
        raise UserError(
            f"The video {path} changed after it was stored in {self._folder}: run `fsarbench data "
            "cache` again."
        )
