"""Feature cache: every test video is decoded and encoded once per role (support, query)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

from fsarbench.data.data_module import DataModule
from fsarbench.data.loader import ClipDataset, clip_loader
from fsarbench.data.side_files import load_extra
from fsarbench.data.splits import require_names
from fsarbench.episode import FRAMES, SHARED_NECK, Encoding
from fsarbench.evaluation.cache_policy import encoder_reads_text
from fsarbench.evaluation.disk_cache import (
    DiskCache,
    ShardWriter,
    content,
    digest,
    video_name,
)
from fsarbench.evaluation.episode_arrays import EpisodeArrays
from fsarbench.evaluation.precision import autocast
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import require_finite
from fsarbench.runtime.progress import ProgressBar
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.video import Split, VideoReader


@torch.no_grad()
def text_bank(model: FewShotModel, split: Split) -> Float[Tensor, "A M E"] | None:
    """Text features of every class of the split; None without a text encoder.

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
    """Features of the videos in one role (support or query), by name and video index.

    Args:
        wanted: Mask of the videos in this role.
        names: Names of the features: `frames`, and one per neck.

    Attributes:
        missing: Mask of the videos without features so far.
    """

    def __init__(self, wanted: Bool[np.ndarray, " V"], names: Sequence[str] = (FRAMES,)) -> None:
        self.missing = wanted.copy()
        self.names = tuple(names)
        self._videos: Sequence[str | None] = ()
        self._writers = {name: ShardWriter(None, SHARD) for name in self.names}
        self._features: dict[str, Tensor] = {}
        self._encoded: dict[str, dict[int, Tensor]] = {name: {} for name in self.names}

    def attach(
        self, disk_cache: DiskCache, videos: Sequence[str | None], device: torch.device
    ) -> None:
        """Load cached features from disk, and write features added later to disk.

        Args:
            disk_cache: Disk cache.
            videos: Name of each video in the disk cache; None for a video that cannot be cached.
            device: Device of the features.
        """
        wanted = [v for v in np.flatnonzero(self.missing).tolist() if videos[v] is not None]
        stored = {
            name: disk_cache.read([row_name(videos[video], name) for video in wanted])
            for name in self.names
        }
        # A video whose features are stored in part is encoded again.
        complete = set.intersection(*(set(rows) for rows in stored.values()))
        rows = {
            name: {wanted[index]: rows[index].to(device) for index in sorted(complete)}
            for name, rows in stored.items()
        }
        self._insert(rows)
        self._videos = videos
        self._writers = {name: ShardWriter(disk_cache, SHARD) for name in self.names}

    def put(self, videos: np.ndarray, features: Mapping[str, Float[Tensor, "B ..."]]) -> None:
        """Add the features of some videos."""
        new = {name: dict(zip(videos.tolist(), features[name], strict=True)) for name in self.names}
        self._insert(new)
        for name, rows in new.items():
            self._encoded[name] |= rows
            if self._videos:
                named = {v: row for v, row in rows.items() if self._videos[v] is not None}
                files = [row_name(self._videos[video], name) for video in named]
                self._writers[name].add(files, list(named.values()))

    def finish(self, device: torch.device) -> dict[str, Float[Tensor, "V ..."]]:
        """All features, gathered from all processes; rows of videos not in this role are 0."""
        for name in self.names:
            self._writers[name].close()
            gathered = distributed.gather(self._encoded[name])
            self._insert({name: {video: row.to(device) for video, row in gathered.items()}})
        assert self._features, "an episode has at least one query"
        return self._features

    def _insert(self, rows: Mapping[str, Mapping[int, Float[Tensor, "..."]]]) -> None:
        for name, new in rows.items():
            if not new:
                continue
            features = torch.stack(list(new.values()))
            if name not in self._features:
                self._features[name] = features.new_zeros(len(self.missing), *features.shape[1:])
            self._features[name][torch.tensor(list(new), device=features.device)] = features
            self.missing[list(new)] = False


def row_name(video: str | None, feature: str) -> str:
    """Name of one feature of a video in the disk cache."""
    return str(video) if feature == FRAMES else digest(str(video), feature)


@dataclass(frozen=True)
class Features:
    """Features by name and video index; the rows of videos that no episode uses are 0.

    Names are `frames` for the backbone's features, and one per neck.

    Attributes:
        support: Features as support videos, each encoded with the text of its class.
        query: Features as query videos; the same tensors if no adapter and no neck reads text.
    """

    support: Mapping[str, Float[Tensor, "V ..."]]
    query: Mapping[str, Float[Tensor, "V ..."]]


class FeatureCache:
    """Cache of the features of all videos in the drawn episodes.

    Args:
        model: In evaluation mode.
        split: Videos and classes of the split.
        drawn: Drawn episodes; videos are encoded only in the roles that they have there.
        text: Text features of the split's classes.
        bf16: Whether to encode in bf16; the features are in fp32 anyway.
    """

    def __init__(
        self,
        model: FewShotModel,
        split: Split,
        drawn: Sequence[EpisodeArrays],
        text: Float[Tensor, "A M E"] | None,
        bf16: bool = False,
    ) -> None:
        self.bf16 = bf16
        self.model = model
        self.split = split
        self.text = text
        self.labels = np.array([video.label for video in split.videos])
        supports = _mask_of([arrays.support for arrays in drawn], len(split.videos))
        queries = _mask_of([arrays.query for arrays in drawn], len(split.videos))
        # Without text, support and query features are equal: each video is encoded once.
        self.two_roles = text is not None and encoder_reads_text(model)
        names = (FRAMES, *model.necks())
        self.query = Role(queries if self.two_roles else queries | supports, names)
        self.support = Role(supports, names) if self.two_roles else self.query

    @property
    def videos(self) -> list[int]:
        """Indices of the videos that are still to be encoded."""
        missing = self.query.missing | self.support.missing
        return [int(video) for video in np.flatnonzero(missing)]

    def size(self, frames: int) -> int:
        """Bytes of all features in fp32, for clips of `frames` frames; known before encoding."""
        roles = 2 if self.two_roles else 1
        return 4 * roles * len(self.split.videos) * values_per_video(self.model, frames)

    def attach(self, disk_cache: DiskCache, reader: VideoReader, device: torch.device) -> None:
        """Load cached features from disk, and write features encoded later to disk."""
        videos = self.split.videos
        self.query.attach(disk_cache, [video_name(video, reader) for video in videos], device)
        if self.two_roles and self.text is not None:
            texts = [content(row) for row in self.text]
            names = [video_name(video, reader, texts[video.label]) for video in videos]
            self.support.attach(disk_cache, names, device)

    def add(self, videos: np.ndarray, clips: Num[Tensor, "B T *pixels"]) -> None:
        """Encode the clips of some videos."""
        for role, encode in (
            (self.query, self._encode_query),
            (self.support, self._encode_support),
        ):
            wanted = role.missing[videos]
            if wanted.any():
                with autocast(clips.device, self.bf16):
                    encoding = encode(videos[wanted], clips[torch.from_numpy(wanted)])
                features = (encoding.map(Tensor.float) if self.bf16 else encoding).tensors()
                self._require_finite(features, videos[wanted])
                role.put(videos[wanted], features)

    def features(self, device: torch.device) -> Features:
        """All features on a device; every video must have been added before."""
        query = self.query.finish(device)
        return Features(self.support.finish(device) if self.two_roles else query, query)

    def _require_finite(self, features: Mapping[str, Tensor], videos: np.ndarray) -> None:
        ids = [self.split.videos[video].id for video in videos]
        for name, values in features.items():
            kind = "features" if name == FRAMES else f"features of neck '{name}'"
            require_finite(values, f"The {kind} of the videos {ids[0]} to {ids[-1]}")

    def _encode_query(self, videos: np.ndarray, clips: Num[Tensor, "B T *pixels"]) -> Encoding:
        return self.model.encode_query(clips, self._extra(videos, clips.device))

    def _encode_support(self, videos: np.ndarray, clips: Num[Tensor, "B T *pixels"]) -> Encoding:
        assert self.text is not None, "without text there is one role"
        text = self.text[torch.from_numpy(self.labels[videos]).to(self.text.device)]
        extra = {k: v[:, None] for k, v in self._extra(videos, clips.device).items()}
        # One class with one shot for each video: the same call as in an episode.
        return self.model.encode_support(clips[:, None], text, extra).map(lambda rows: rows[:, 0])

    def _extra(self, videos: np.ndarray, device: torch.device) -> dict[str, Tensor]:
        rows = [self.split.videos[video] for video in videos]
        side = load_extra(rows, self.model.extra)
        return {name: value.to(device) for name, value in side.items()}


def values_per_video(model: FewShotModel, frames: int) -> int:
    """Numbers that the features of one video have: those of the backbone and of every neck."""
    shared = steps = model.backbone.output_frames(frames)
    values = steps * model.backbone.dim
    for name, neck in model.necks().items():
        own = neck.output_frames(shared)
        shared = own if name == SHARED_NECK else shared
        values += own * neck.dim
    return values


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
