"""Feature cache: every test video is decoded and encoded once per role (support, query)."""

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
    """Text features, one per class of the split; None without a text encoder.

    The encoder runs in evaluation mode; its own mode is restored afterwards.
    """
    encoder = model.text_encoder
    if encoder is None:
        return None
    training = encoder.training
    features = encoder.eval()(require_names(split))
    encoder.train(training)
    return features


def trains_text_encoder(model: FewShotModel) -> bool:
    """Whether the text encoder is trainable, so that text features change with every step."""
    return model.text_encoder is not None and bool(trainable_parameters(model.text_encoder))


# Videos per file of the disk cache: the most that a killed test loses.
SHARD = 64


class Role:
    """Features of the videos in one role (support or query), by video index.

    Args:
        wanted: Mask of the videos in this role.

    Attributes:
        missing: Mask of the videos without features so far.
    """

    def __init__(self, wanted: Bool[np.ndarray, " V"]) -> None:
        self.missing = wanted.copy()
        self._names: Sequence[str | None] = ()
        self._writer = ShardWriter(None, SHARD)
        self._features: Tensor | None = None
        self._encoded: dict[int, Tensor] = {}

    def attach(
        self, disk_cache: DiskCache, names: Sequence[str | None], device: torch.device
    ) -> None:
        """Load cached features from disk, and write features added later to disk.

        Args:
            disk_cache: Disk cache.
            names: Name of each video in the disk cache; None for a video that cannot be cached.
            device: Device of the features.
        """
        wanted = [v for v in np.flatnonzero(self.missing).tolist() if names[v] is not None]
        rows = disk_cache.read([str(names[video]) for video in wanted])
        self._insert({wanted[index]: row.to(device) for index, row in rows.items()})
        self._names, self._writer = names, ShardWriter(disk_cache, SHARD)

    def put(self, videos: np.ndarray, features: Float[Tensor, "B T D"]) -> None:
        """Add the features of some videos."""
        new = dict(zip(videos.tolist(), features, strict=True))
        self._encoded |= new
        self._insert(new)
        if self._names:
            named = {name: row for v, row in new.items() if (name := self._names[v]) is not None}
            self._writer.add(list(named), list(named.values()))

    def finish(self, device: torch.device) -> Float[Tensor, "V T D"]:
        """All features, gathered from all processes; rows of videos not in this role are 0."""
        self._writer.close()
        self._insert(
            {video: row.to(device) for video, row in distributed.gather(self._encoded).items()}
        )
        assert self._features is not None, "an episode has at least one query"
        return self._features

    def _insert(self, rows: Mapping[int, Float[Tensor, "T D"]]) -> None:
        if not rows:
            return
        features = torch.stack(list(rows.values()))
        if self._features is None:
            self._features = features.new_zeros(len(self.missing), *features.shape[1:])
        self._features[torch.tensor(list(rows), device=features.device)] = features
        self.missing[list(rows)] = False


@dataclass(frozen=True)
class Features:
    """Frame features by video index; the rows of videos that no episode uses are 0.

    Attributes:
        support: Features as support videos, each encoded with the text of its class.
        query: Features as query videos; the same tensor if the backbone reads no text.
    """

    support: Float[Tensor, "V T D"]
    query: Float[Tensor, "V T D"]


class FeatureCache:
    """Cache of the features of all videos in the drawn episodes.

    Args:
        model: In evaluation mode.
        split: Videos and classes of the split.
        drawn: Drawn episodes; videos are encoded only in the roles that they have there.
        text: Text features of the split's classes.
    """

    def __init__(
        self,
        model: FewShotModel,
        split: Split,
        drawn: Sequence[EpisodeArrays],
        text: Float[Tensor, "M E"] | None,
    ) -> None:
        self.model = model
        self.split = split
        self.text = text
        self.labels = np.array([video.label for video in split.videos])
        supports = _mask_of([arrays.support for arrays in drawn], len(split.videos))
        queries = _mask_of([arrays.query for arrays in drawn], len(split.videos))
        # Without text, support and query features are equal: each video is encoded once.
        self.two_roles = text is not None and backbone_reads_text(model)
        self.query = Role(queries if self.two_roles else queries | supports)
        self.support = Role(supports) if self.two_roles else self.query

    @property
    def videos(self) -> list[int]:
        """Indices of the videos that are still to be encoded."""
        missing = self.query.missing | self.support.missing
        return [int(video) for video in np.flatnonzero(missing)]

    def attach(self, disk_cache: DiskCache, reader: VideoReader, device: torch.device) -> None:
        """Load cached features from disk, and write features encoded later to disk."""
        videos = self.split.videos
        self.query.attach(disk_cache, [video_name(video, reader) for video in videos], device)
        if self.two_roles and self.text is not None:
            texts = [content(row) for row in self.text]
            names = [video_name(video, reader, texts[video.label]) for video in videos]
            self.support.attach(disk_cache, names, device)

    def add(self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]) -> None:
        """Encode the clips of some videos."""
        queries = self.query.missing[videos]
        if queries.any():
            features = self.model.encode_query(clips[torch.from_numpy(queries)])
            self._require_finite(features, videos[queries])
            self.query.put(videos[queries], features)
        supports = self.support.missing[videos]
        if supports.any():
            features = self._encode_support(videos[supports], clips[torch.from_numpy(supports)])
            self._require_finite(features, videos[supports])
            self.support.put(videos[supports], features)

    def features(self, device: torch.device) -> Features:
        """All features on a device; every video must have been added before."""
        query = self.query.finish(device)
        return Features(self.support.finish(device) if self.two_roles else query, query)

    def _require_finite(self, features: Float[Tensor, "B T D"], videos: np.ndarray) -> None:
        names = [self.split.videos[video].id for video in videos]
        require_finite(features, f"The features of the videos {names[0]} to {names[-1]}")

    def _encode_support(
        self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]
    ) -> Float[Tensor, "B T D"]:
        assert self.text is not None, "without text there is one role"
        text = self.text[torch.from_numpy(self.labels[videos]).to(self.text.device)]
        # One class with one shot for each video: the same call as in an episode.
        return self.model.encode_support(clips[:, None], text)[:, 0]


def encode_split(
    model: FewShotModel,
    data_module: DataModule,
    cache: FeatureCache,
    split: Split,
    settings: EvaluateSettings,
    bar: ProgressBar,
) -> Features:
    """Decode and encode the missing videos of `cache`; workers decode while the model encodes."""
    videos, size = cache.videos, settings.batch_size
    # Each process gets whole batches, so that the batch of a video does not depend on the number
    # of processes.
    batches = distributed.share(
        [videos[start : start + size] for start in range(0, len(videos), size)]
    )
    videos = [video for batch in batches for video in batch]
    data = ClipDataset(split, data_module.reader, data_module.clips)
    loader = clip_loader(data, size, processes(settings.workers), order=videos)
    encoded = 0
    for clips in loader:
        cache.add(np.array(videos[encoded : encoded + len(clips)]), clips.to(data_module.device))
        encoded += len(clips)
        bar.advance(len(clips))
    return cache.features(data_module.device)


def _mask_of(videos: Sequence[np.ndarray], count: int) -> Bool[np.ndarray, " {count}"]:
    mask = np.zeros(count, dtype=bool)
    for indices in videos:
        mask[indices.reshape(-1)] = True
    return mask
