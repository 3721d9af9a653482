"""Torch datasets of episodes and clips, and their data loaders.

Every sample is a pure function of its index. Batches are therefore the same for any number of
workers, and a run can resume at any episode without replaying earlier ones.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Float32, Num
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.clips import load_clip
from fsarbench.data.episode_sampler import EpisodeSampler
from fsarbench.data.side_files import load_extra
from fsarbench.episode import Episode
from fsarbench.errors import UserError, killed_worker_message
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import FeatureReader, Split, VideoReader


def to_episode(
    batch: Mapping[str, Any],
    split: Split,
    text: Float[Tensor, "A M E"] | None,
    device: torch.device,
) -> Episode:
    """Move an episode to a device.

    Args:
        batch: `support`, `query`, `labels` and `classes` of one episode, and side data by name.
        split: Split that `classes` refers to.
        text: Text features of all classes in the split; None if the model computes them.
        device: Device of the model.
    """
    moved: dict[str, Any] = {
        key: batch[key].to(device, non_blocking=True)
        for key in ("support", "query", "labels", "classes")
    }
    for key in SIDE_DATA:
        moved[key] = {name: value.to(device) for name, value in batch.get(key, {}).items()}
    names = tuple(split.readable[index] for index in batch["classes"].tolist())
    class_text = None if text is None else text[moved["classes"]]
    return Episode(**moved, names=names, text=class_text, bank=text)


SIDE_DATA = ("support_extra", "query_extra")
Sample = TypeVar("Sample")
# Maximum length of a socket path that all systems accept, in bytes.
SOCKET_NAME = 103


class EpisodeDataset(Dataset[dict[str, Any]]):
    """Map-style dataset of episodes as dicts of tensors.

    The keys are `support` "N K T 3 H W" and `query` "Q T 3 H W" (bytes), `labels` "Q", `classes`
    "N" (indices into the split) and `iteration` "" (the episode's number). With a reader of
    features, `support` is "N K S D" and `query` "Q S D".

    Args:
        split: Split that the sampler draws from.
        sampler: Episode sampler.
        reader: Video reader.
        clips: Clip settings, resolved for the image size of the backbone.
        augment: Whether to draw random frames, crops and colours, as in training; otherwise the
            test settings apply.
        extra: Names of side data that come with the frames, as dicts `support_extra` and
            `query_extra`.
    """

    def __init__(
        self,
        split: Split,
        sampler: EpisodeSampler,
        reader: VideoReader,
        clips: ClipSettings,
        augment: bool,
        extra: Sequence[str] = (),
    ) -> None:
        self.split = split
        self.sampler = sampler
        self.reader = reader
        self.clips = clips
        self.augment = augment
        self.extra = tuple(extra)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Episode `number`, for any integer from 0."""
        index = self.sampler.episode(number)
        videos = [*index.support.reshape(-1).tolist(), *index.query.tolist()]
        clips = torch.stack([self._clip(number, k, video) for k, video in enumerate(videos)])
        count, shape = index.support.size, index.support.shape
        side = load_extra([self.split.videos[video] for video in videos], self.extra)
        return {
            "support": clips[:count].unflatten(0, shape),
            "support_extra": {k: v[:count].unflatten(0, shape) for k, v in side.items()},
            "query_extra": {k: v[count:] for k, v in side.items()},
            "query": clips[count:],
            "labels": torch.from_numpy(index.labels),
            "classes": torch.from_numpy(index.classes),
            "iteration": torch.tensor(number),
        }

    def _clip(self, number: int, position: int, video: int) -> Num[Tensor, "T *pixels"]:
        if isinstance(self.reader, FeatureReader):
            return load_features(self.reader, self.split, video)
        path = self.split.videos[video].path
        if not (self.augment or self.clips.stochastic):
            return load_clip(self.reader, path, self.clips)
        rng = RandomStream("clip", self.sampler.seed, self.split.name, number, position)
        return load_clip(self.reader, path, self.clips, rng, self.augment)


class ClipDataset(Dataset[Tensor]):
    """Dataset of one deterministic clip per video of a split, uint8 "T 3 H W", or features "S D".

    Args:
        split: Split with the videos.
        reader: Video reader.
        clips: Clip settings, resolved for the image size of the backbone.
    """

    def __init__(self, split: Split, reader: VideoReader, clips: ClipSettings) -> None:
        self.split = split
        self.reader = reader
        self.clips = clips

    def __len__(self) -> int:
        return len(self.split.videos)

    def __getitem__(self, video: int) -> Num[Tensor, "T *pixels"]:
        """Clip of the video with index `video`."""
        if isinstance(self.reader, FeatureReader):
            return load_features(self.reader, self.split, video)
        return load_clip(self.reader, self.split.videos[video].path, self.clips)


def load_features(reader: FeatureReader, split: Split, video: int) -> Float32[Tensor, "S D"]:
    """Features of the video with index `video`; all videos of a split have one shape.

    Raises:
        UserError: They cannot be read, or the first video of the split has features of another
            shape.
    """
    first, chosen = split.videos[0], split.videos[video]
    features, expected = reader.features(chosen), reader.shape(first)
    if features.shape != expected:
        raise UserError(
            f"The features of the video {chosen.id} have the shape {features.shape}, those of "
            f"{first.id} {expected} (steps, width); all must have one shape."
        )
    return torch.from_numpy(features)


class EpisodeOrder(Sampler[int]):
    """Episode numbers of one rank: every `world`-th number from `start` to `stop`.

    Args:
        start: First episode over all ranks; above 0 when a run is resumed.
        stop: End of the range, exclusive.
        rank: Rank of this process.
        world: Number of ranks.

    Example:
        >>> list(EpisodeOrder(10, 16, rank=1, world=2))
        [11, 13, 15]
    """

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        self.numbers = range(start + rank, stop, world)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)


class Loader(DataLoader[Any]):
    """DataLoader that re-raises `UserError`s of workers with their original message."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self.num_workers:
            require_short_sockets()
        try:
            yield from super().__iter__()
        except UserError as error:
            raise UserError(_original_message(str(error))) from None
        except RuntimeError as error:
            message = killed_worker_message(error)
            if message is None:
                raise
            raise UserError(message) from error
        except (OSError, EOFError) as error:
            # Errors inside a worker contain "Caught"; other errors are failures of the connection.
            if not self.num_workers or "Caught" in str(error):
                raise
            raise UserError(
                f"Decoding processes cannot be started or reached ({error!r}). Lower the number of "
                "workers, or free memory on the machine."
            ) from error


def require_short_sockets() -> None:
    """Raise an error if the path of the temporary folder is too long for sockets.

    Otherwise workers would hang, because the socket error is raised in a background thread.

    Raises:
        UserError: Socket paths in the temporary folder would be too long.
    """
    # Naming scheme of multiprocessing: a folder per process with a socket in it.
    longest = os.path.join(tempfile.gettempdir(), "pymp-12345678", "listener-12345678")
    if os.name == "posix" and len(os.fsencode(longest)) > SOCKET_NAME:
        raise UserError(
            f"The path of the temporary folder, {tempfile.gettempdir()}, is too long for the "
            "sockets of decoding processes: set TMPDIR to a shorter one, such as /tmp, or the "
            "number of workers to 0."
        )


def episode_loader(
    data: EpisodeDataset, order: EpisodeOrder | Sequence[int], workers: int = 0
) -> Loader:
    """Create a data loader of one episode per batch, in the given order.

    Args:
        data: Episode dataset.
        order: Episode numbers.
        workers: Number of decoding processes; 0 to decode in the main process.
    """
    return _loader(data, order, workers, batch_size=None)


def clip_loader(
    data: ClipDataset, batch_size: int, workers: int = 0, order: Sequence[int] | None = None
) -> Loader:
    """Create a data loader of clips "V T 3 H W" or features "V S D", by default in split order.

    Args:
        data: Clip dataset.
        batch_size: Videos per batch; the last batch may be smaller.
        workers: Number of decoding processes; 0 to decode in the main process.
        order: Video indices; None for all videos.
    """
    return _loader(data, range(len(data)) if order is None else order, workers, batch_size)


def _loader(
    data: Dataset[Any], order: Sequence[int] | Sampler[int], workers: int, batch_size: int | None
) -> Loader:
    return Loader(
        data,
        batch_size=batch_size,
        sampler=order,
        num_workers=workers,
        worker_init_fn=_start_worker,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
    )


def _start_worker(worker: int) -> None:
    del worker
    # There is about one worker per core; additional threads would compete for cores.
    torch.set_num_threads(1)


def _original_message(message: str) -> str:
    # The message of a worker's exception is its full traceback, with the original message last.
    return message.rpartition(f"{UserError.__module__}.{UserError.__name__}: ")[2].strip()
