"""Data sets of episodes and of clips, and the loaders that feed them to the device.

Every sample is a pure function of its number, so that the batches are the same for any number of
workers, and a run can start at any episode without replaying the earlier ones.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fsarbench.data.clips import ClipSettings, load_clip
from fsarbench.data.episode_sampler import EpisodeSampler
from fsarbench.episode import Episode
from fsarbench.errors import UserError, lost_worker
from fsarbench.runtime.random_stream import RandomStream
from fsarbench.video import Split, VideoReader


def to_episode(
    batch: Mapping[str, Tensor],
    split: Split,
    text: Float[Tensor, "M E"] | None,
    device: torch.device,
) -> Episode:
    """An episode on a device.

    Args:
        batch: `support`, `query`, `labels` and `classes` of one episode.
        split: What `classes` are indices into.
        text: The text features of the split's classes; None leaves text to the model.
        device: Where the model is.
    """
    moved = {
        key: batch[key].to(device, non_blocking=True)
        for key in ("support", "query", "labels", "classes")
    }
    names = tuple(split.readable[index] for index in batch["classes"].tolist())
    own = None if text is None else text[moved["classes"]]
    return Episode(**moved, names=names, text=own, bank=text)


Sample = TypeVar("Sample")
# Bytes of a socket's name that every system takes.
SOCKET_NAME = 103


class EpisodeDataset(Dataset[dict[str, Tensor]]):
    """Episode i with its frames, as a dict of tensors.

    The keys are `support` "N K T 3 H W" and `query` "Q T 3 H W" (bytes), `labels` "Q", `classes`
    "N" (indices into the split) and `iteration` "" (the episode's number).

    Args:
        split: The split that the sampler draws from.
        sampler: Which videos make up episode i.
        reader: Who decodes.
        clips: How clips are cut, resolved for the backbone's image size.
        augment: Random frames, crops and colours, as in training; else as the settings say of test
            clips.
    """

    def __init__(
        self,
        split: Split,
        sampler: EpisodeSampler,
        reader: VideoReader,
        clips: ClipSettings,
        augment: bool,
    ) -> None:
        self.split = split
        self.sampler = sampler
        self.reader = reader
        self.clips = clips
        self.augment = augment

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Episode `number`; there is one for every whole number from 0."""
        index = self.sampler.episode(number)
        videos = [*index.support.reshape(-1).tolist(), *index.query.tolist()]
        clips = torch.stack([self._clip(number, k, video) for k, video in enumerate(videos)])
        support = clips[: index.support.size].unflatten(0, index.support.shape)
        return {
            "support": support,
            "query": clips[index.support.size :],
            "labels": torch.from_numpy(index.labels),
            "classes": torch.from_numpy(index.classes),
            "iteration": torch.tensor(number),
        }

    def _clip(self, number: int, position: int, video: int) -> UInt8[Tensor, "T 3 H W"]:
        path = self.split.videos[video].path
        if not (self.augment or self.clips.stochastic):
            return load_clip(self.reader, path, self.clips)
        chance = RandomStream("clip", self.sampler.seed, self.split.name, number, position)
        return load_clip(self.reader, path, self.clips, chance, self.augment)


class ClipDataset(Dataset[Tensor]):
    """The one deterministic clip of each video of a split: bytes "T 3 H W".

    Args:
        split: The videos.
        reader: Who decodes.
        clips: How clips are cut, resolved for the backbone's image size.
    """

    def __init__(self, split: Split, reader: VideoReader, clips: ClipSettings) -> None:
        self.split = split
        self.reader = reader
        self.clips = clips

    def __len__(self) -> int:
        return len(self.split.videos)

    def __getitem__(self, video: int) -> UInt8[Tensor, "T 3 H W"]:
        """The clip of video number `video`."""
        return load_clip(self.reader, self.split.videos[video].path, self.clips)


class EpisodeOrder(Sampler[int]):
    """The episode numbers of one rank, in order: every `world`-th from `start` to `stop`.

    Args:
        start: The first episode over all ranks; a resumed run starts in the middle.
        stop: The first episode that is left out.
        rank: Which of the ranks this is.
        world: The number of ranks.

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
    """A DataLoader whose workers' `UserError`s arrive as they were raised."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self.num_workers:
            require_short_sockets()
        try:
            yield from super().__iter__()
        except UserError as error:
            raise UserError(_unwrapped(str(error))) from None
        except RuntimeError as error:
            said = lost_worker(error)
            if said is None:
                raise
            raise UserError(said) from error
        except (OSError, EOFError) as error:
            # A worker's own errors say that they were caught there; this is one of the connection.
            if not self.num_workers or "Caught" in str(error):
                raise
            raise UserError(
                f"Processes that decode videos cannot be started or reached ({error!r}). Lower the "
                "number of workers, or give the machine more memory."
            ) from error


def require_short_sockets() -> None:
    """Refuses a folder for temporary files in which processes cannot reach each other.

    They would wait for each other for ever, since the error is raised in a thread of a worker.

    Raises:
        UserError: The names of sockets would be too long there.
    """
    # As multiprocessing names them: a folder of the process's own, and a socket in it.
    longest = os.path.join(tempfile.gettempdir(), "pymp-12345678", "listener-12345678")
    if os.name == "posix" and len(os.fsencode(longest)) > SOCKET_NAME:
        raise UserError(
            f"The folder for temporary files, {tempfile.gettempdir()}, has too long a name for "
            "processes that decode videos: set TMPDIR to a shorter one, such as /tmp, or the "
            "number of workers to 0."
        )


def episode_loader(
    data: EpisodeDataset, order: EpisodeOrder | Sequence[int], workers: int = 0
) -> Loader:
    """A loader of one episode at a time, in the given order.

    Args:
        data: The episodes.
        order: Which of them.
        workers: Processes that decode; 0 for none besides the caller's.
    """
    return _loader(data, order, workers, batch_size=None)


def clip_loader(
    data: ClipDataset, batch_size: int, workers: int = 0, order: Sequence[int] | None = None
) -> Loader:
    """A loader of clips "V T 3 H W", in the order of the split.

    Args:
        data: The clips.
        batch_size: Videos of one batch; the last may have fewer.
        workers: Processes that decode; 0 for none besides the caller's.
        order: Numbers of the videos wanted; None for all.
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
    # Workers are as many as the cores are meant to carry; their own threads would only fight.
    torch.set_num_threads(1)


def _unwrapped(message: str) -> str:
    # A worker's exception arrives with its whole traceback as its message, and what was raised at
    # the end of it.
    return message.rpartition(f"{UserError.__module__}.{UserError.__name__}: ")[2].strip()
