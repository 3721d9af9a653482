"""Every test video decoded and encoded once in each role it plays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from fsarbench.data.data_module import DataModule
from fsarbench.data.loader import ClipDataset, clip_loader
from fsarbench.data.splits import require_names
from fsarbench.evaluation.cache_policy import backbone_reads_text
from fsarbench.evaluation.disk_cache import DiskCache, ShardWriter, content, video_name
from fsarbench.evaluation.episode_arrays import EpisodeArrays
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import require_finite
from fsarbench.runtime.progress import ProgressBar
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.video import Split, VideoReader


@torch.no_grad()
def text_bank(model: FewShotModel, split: Split) -> Float[Tensor, "M E"] | None:
    """One text feature a class of the split, None without a text encoder.

    The encoder runs in evaluation mode, whatever mode it is in.
    """
    encoder = model.text_encoder
    if encoder is None:
        return None
    training = encoder.training
    features = encoder.eval()(require_names(split))
    encoder.train(training)
    return features


def tunes_text(model: FewShotModel) -> bool:
    """Whether training changes the text encoder, so that no bank outlives a step."""
    return model.text_encoder is not None and bool(trainable_parameters(model.text_encoder))


# Videos of one file of a store: what a test that is killed may lose.
SHARD = 64


class Role:
    """Collects features by video index.

    Args:
        wanted: The videos that play this role.

    Attributes:
        missing: Those whose features are still to come.
    """

    def __init__(self, wanted: Bool[np.ndarray, " V"]) -> None:
        self.missing = wanted.copy()
        self._names: Sequence[str | None] = ()
        self._shelf = ShardWriter(None, SHARD)
        self._kept: Tensor | None = None
        self._new: dict[int, Tensor] = {}

    def keep(self, store: DiskCache, names: Sequence[str | None], device: torch.device) -> None:
        """Takes what a store has, and writes to it what is put in from now on.

        Args:
            store: The store.
            names: What each video is known by there; one that has none is not kept.
            device: Where features go.
        """
        wanted = [v for v in np.flatnonzero(self.missing).tolist() if names[v] is not None]
        found = store.read([str(names[video]) for video in wanted])
        self._take({wanted[place]: row.to(device) for place, row in found.items()})
        self._names, self._shelf = names, ShardWriter(store, SHARD)

    def put(self, videos: np.ndarray, features: Float[Tensor, "B T D"]) -> None:
        """Adds the features of some videos."""
        new = dict(zip(videos.tolist(), features, strict=True))
        self._new |= new
        self._take(new)
        if self._names:
            known = {name: row for v, row in new.items() if (name := self._names[v]) is not None}
            self._shelf.add(list(known), list(known.values()))

    def finish(self, device: torch.device) -> Float[Tensor, "V T D"]:
        """All features, also those that other processes put in; the rows of other videos are 0."""
        self._shelf.close()
        self._take({video: row.to(device) for video, row in distributed.gather(self._new).items()})
        assert self._kept is not None, "an episode has at least one query"
        return self._kept

    def _take(self, rows: Mapping[int, Float[Tensor, "T D"]]) -> None:
        if not rows:
            return
        features = torch.stack(list(rows.values()))
        if self._kept is None:
            self._kept = features.new_zeros(len(self.missing), *features.shape[1:])
        self._kept[torch.tensor(list(rows), device=features.device)] = features
        self.missing[list(rows)] = False


@dataclass(frozen=True)
class Features:
    """Frame features by video index; the rows of videos that no episode uses are 0.

    Attributes:
        support: Of videos in the support role, each with the text of its own class.
        query: Of videos in the query role; the same tensor where the backbone reads no text.
    """

    support: Float[Tensor, "V T D"]
    query: Float[Tensor, "V T D"]


class Cache:
    """Collects the features of the videos that some plans use.

    Args:
        model: In evaluation mode.
        split: The videos.
        plans: The episodes to come; videos are encoded only in the roles that these give them.
        text: The text features of the split's classes.
    """

    def __init__(
        self,
        model: FewShotModel,
        split: Split,
        plans: Sequence[EpisodeArrays],
        text: Float[Tensor, "M E"] | None,
    ) -> None:
        self.model = model
        self.split = split
        self.text = text
        self.labels = np.array([video.label for video in split.videos])
        supports = _used([plan.support for plan in plans], len(split.videos))
        queries = _used([plan.query for plan in plans], len(split.videos))
        # A video that plays both roles in a backbone without text is encoded once.
        self.two_roles = text is not None and backbone_reads_text(model)
        self.query = Role(queries if self.two_roles else queries | supports)
        self.support = Role(supports) if self.two_roles else self.query

    @property
    def videos(self) -> list[int]:
        """The videos that are still to be encoded."""
        missing = self.query.missing | self.support.missing
        return [int(video) for video in np.flatnonzero(missing)]

    def keep(self, store: DiskCache, reader: VideoReader, device: torch.device) -> None:
        """Takes what a store has, and from now on writes to it what is encoded."""
        videos = self.split.videos
        self.query.keep(store, [video_name(video, reader) for video in videos], device)
        if self.two_roles and self.text is not None:
            texts = [content(row) for row in self.text]
            names = [video_name(video, reader, texts[video.label]) for video in videos]
            self.support.keep(store, names, device)

    def add(self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]) -> None:
        """Encodes the clips of some videos."""
        queries = self.query.missing[videos]
        if queries.any():
            features = self.model.encode_query(clips[torch.from_numpy(queries)])
            self._require_finite(features, videos[queries])
            self.query.put(videos[queries], features)
        supports = self.support.missing[videos]
        if supports.any():
            features = self._as_support(videos[supports], clips[torch.from_numpy(supports)])
            self._require_finite(features, videos[supports])
            self.support.put(videos[supports], features)

    def features(self, device: torch.device) -> Features:
        """All features, on a device; once every video was added."""
        query = self.query.finish(device)
        return Features(self.support.finish(device) if self.two_roles else query, query)

    def _require_finite(self, features: Float[Tensor, "B T D"], videos: np.ndarray) -> None:
        names = [self.split.videos[video].id for video in videos]
        require_finite(features, f"The features of the videos {names[0]} to {names[-1]}")

    def _as_support(
        self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]
    ) -> Float[Tensor, "B T D"]:
        assert self.text is not None, "without text there is one role"
        text = self.text[torch.from_numpy(self.labels[videos]).to(self.text.device)]
        # One class with one shot for each video: the same call as in an episode.
        return self.model.encode_support(clips[:, None], text)[:, 0]


def encode_split(
    model: FewShotModel,
    data_module: DataModule,
    cache: Cache,
    split: Split,
    settings: EvaluateSettings,
    bar: ProgressBar,
) -> Features:
    """Decodes and encodes the videos of `cache`; workers decode while the model encodes."""
    videos, size = cache.videos, settings.batch_size
    # Whole batches for each process, so that a video is encoded with the same others by any number
    # of them.
    batches = distributed.share(
        [videos[start : start + size] for start in range(0, len(videos), size)]
    )
    videos = [video for batch in batches for video in batch]
    data = ClipDataset(split, data_module.reader, data_module.clips)
    loader = clip_loader(data, size, processes(settings.workers), order=videos)
    done = 0
    for clips in loader:
        cache.add(np.array(videos[done : done + len(clips)]), clips.to(data_module.device))
        done += len(clips)
        bar.advance(len(clips))
    return cache.features(data_module.device)


def _used(videos: Sequence[np.ndarray], count: int) -> Bool[np.ndarray, " {count}"]:
    used = np.zeros(count, dtype=bool)
    for indices in videos:
        used[indices.reshape(-1)] = True
    return used
