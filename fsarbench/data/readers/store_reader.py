"""Frames from a store that `fsarbench data cache` made."""

from collections.abc import Sequence
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
from fsarbench.data.readers.faults import require_frames
from fsarbench.data.video_files import digest_of, stamp_of
from fsarbench.errors import UserError
from fsarbench.registry import READERS
from fsarbench.video import VideoReader


@READERS.register_module()
class StoreReader(VideoReader):
    """Reads the frames of a clip from a store, without decoding a video.

    A video that changed since it was stored is an error. Every process opens the store by itself.

    Args:
        root: The folder of the store; `~` and `$NAME` are filled in.
        videos: The folder of the videos, below which the store knows them by their paths; None for
            the folder that holds the store.
    """

    def __init__(self, root: NonEmptyStr, videos: NonEmptyStr | None = None) -> None:
        self.root = root
        self.videos = videos
        # Videos with another time of change, as copies have, whose bytes are those that were read.
        self._same: set[Path] = set()

    def __getstate__(self) -> dict[str, object]:
        """What another process needs: not the index, which it reads when it reads a video."""
        return {"root": self.root, "videos": self.videos, "_same": set()}

    def count(self, path: Path) -> int:
        """The number of frames of a video."""
        return self._stored(path).frames

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order."""
        video = self._stored(path)
        require_frames(path, indices, video.frames)
        file = frames_file(self._folder, self._settings, video.path)
        try:
            return read_frames(file, self._settings.format, indices)
        except UserError:
            raise
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise UserError(
                f"The stored frames of {path} cannot be read ({file}: {error}): take that file "
                "away, and run `fsarbench data cache` again."
            ) from error

    def source(self, path: Path) -> Path:
        """The file of its frames in the store."""
        return frames_file(self._folder, self._settings, self._stored(path).path)

    @cached_property
    def _folder(self) -> Path:
        return expand_path(self.root, "reader.root")

    @cached_property
    def _below(self) -> Path:
        return expand_path(self.videos, "reader.videos") if self.videos else self._folder.parent

    @cached_property
    def _settings(self) -> StoreSettings:
        settings = read_settings(self._folder)
        if settings is None:
            raise UserError(
                f"There is no store in {self._folder} (reader.root; it would have a {SETTINGS}): "
                "make one with `fsarbench data cache`."
            )
        return settings

    @cached_property
    def _index(self) -> dict[str, Stored]:
        if self._settings and not (index := read_index(self._folder)):
            raise UserError(
                f"The store in {self._folder} is not finished: run `fsarbench data cache` again, "
                "which goes on where it was."
            )
        return index

    def _stored(self, path: Path) -> Stored:
        index = self._index
        try:
            video = index.get(path.relative_to(self._below).as_posix())
        except ValueError:
            raise UserError(
                f"The video {path} is not below {self._below}, where the store in {self._folder} "
                "looks for it: set reader.videos to the folder of the videos."
            ) from None
        if video is None:
            raise UserError(
                f"The video {path} is not in the store in {self._folder}: run `fsarbench data "
                "cache` again, which adds it or says why it cannot."
            )
        if path not in self._same:
            self._require_unchanged(path, video)
        return video

    def _require_unchanged(self, path: Path, video: Stored) -> None:
        try:
            if stamp_of(path) == video.stamp:
                return
            if digest_of(path) == video.digest:
                self._same.add(path)
                return
        except OSError as error:
            raise UserError(
                f"The video {path} is missing ({error.strerror}): restore it, or take it out of "
                "the data set."
            ) from error
        raise UserError(
            f"The video {path} is not the one that was stored in {self._folder}: run `fsarbench "
            "data cache` again."
        )
