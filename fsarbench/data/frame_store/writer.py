"""One video decoded and kept; this runs in the processes of `fsarbench data cache`."""

from dataclasses import dataclass
from pathlib import Path

from fsarbench.data.frame_store.formats import write_frames
from fsarbench.data.frame_store.index import Stored, StoreSettings, frames_file
from fsarbench.data.identity import digest_of, stamp_of
from fsarbench.data.store.decoding import all_frames
from fsarbench.errors import UserError
from fsarbench.video import VideoReader


@dataclass(frozen=True)
class Failed:
    """Why a video is not kept.

    Attributes:
        reason: In words.
        disk: Whether the store cannot be written, so that going on makes no sense.
    """

    reason: str
    disk: bool = False


@dataclass(frozen=True)
class Keeper:
    """Keeps videos; it can be sent to another process.

    Attributes:
        reader: Who decodes.
        root: The folder of the videos.
        store: The folder of the store.
        settings: How frames are kept.
    """

    reader: VideoReader
    root: Path
    store: Path
    settings: StoreSettings

    def __call__(self, path: str) -> Stored | Failed:
        """Keep the video at `path` below the root; whatever goes wrong comes back as a reason."""
        try:
            return self._kept(path)
        except OSError as error:
            reason = f"cannot write {error.filename or self.store}: {error.strerror or error}"
            return Failed(reason, disk=True)
        except Exception as error:  # whatever a damaged file makes a decoder raise
            text = str(error) or type(error).__name__
            return Failed(text if isinstance(error, UserError) else f"{self.root / path}: {text}")

    def _kept(self, path: str) -> Stored:
        video, settings = self.root / path, self.settings
        count = self.reader.count(video)
        stamp, digest = stamp_of(video), digest_of(video)
        file = frames_file(self.store, settings, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        frames = all_frames(self.reader, video, count, settings.size)
        return Stored(
            path, count, write_frames(file, settings.format, count, frames), stamp, digest
        )
