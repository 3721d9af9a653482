"""Every test video decoded and encoded once in each role it plays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from fsarbench.data.loader import ClipDataset, clip_loader
from fsarbench.engine.bench import Bench
from fsarbench.engine.plan import Plan
from fsarbench.engine.route import reads_text
from fsarbench.engine.settings import EvaluateSettings, processes
from fsarbench.interfaces import Split
from fsarbench.model import FewShotModel
from fsarbench.progress import Bar


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
        plans: Sequence[Plan],
        text: Float[Tensor, "M E"] | None,
    ) -> None:
        self.model = model
        self.text = text
        self.labels = np.array([video.label for video in split.videos])
        # A video that plays both roles in a backbone without text is encoded once.
        self.two_roles = text is not None and reads_text(model)
        self.supports = _used([plan.support for plan in plans], len(split.videos))
        self.queries = _used([plan.query for plan in plans], len(split.videos))
        self._support: Tensor | None = None
        self._query: Tensor | None = None

    @property
    def videos(self) -> list[int]:
        """The videos to encode."""
        return [int(video) for video in np.flatnonzero(self.supports | self.queries)]

    def add(self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]) -> None:
        """Encodes the clips of some videos."""
        queries = self.queries[videos] if self.two_roles else np.ones(len(videos), dtype=bool)
        if queries.any():
            features = self.model.encode_query(clips[torch.from_numpy(queries)])
            self._query = self._store(self._query, videos[queries], features)
        supports = self.supports[videos] & self.two_roles
        if supports.any():
            features = self._as_support(videos[supports], clips[torch.from_numpy(supports)])
            self._support = self._store(self._support, videos[supports], features)

    def features(self) -> Features:
        """All features; once every video was added."""
        query = self._query
        assert query is not None, "an episode has at least one query"
        return Features(self._support if self._support is not None else query, query)

    def _as_support(
        self, videos: np.ndarray, clips: UInt8[Tensor, "B T 3 H W"]
    ) -> Float[Tensor, "B T D"]:
        assert self.text is not None, "without text there is one role"
        text = self.text[torch.from_numpy(self.labels[videos]).to(self.text.device)]
        # One class with one shot for each video: the same call as in an episode.
        return self.model.encode_support(clips[:, None], text)[:, 0]

    def _store(
        self, kept: Tensor | None, videos: np.ndarray, features: Float[Tensor, "B T D"]
    ) -> Float[Tensor, "V T D"]:
        if kept is None:
            kept = features.new_zeros(len(self.labels), *features.shape[1:])
        kept[torch.from_numpy(videos).to(kept.device)] = features
        return kept


def encode_split(
    model: FewShotModel,
    bench: Bench,
    cache: Cache,
    split: Split,
    settings: EvaluateSettings,
    bar: Bar,
) -> Features:
    """Decodes and encodes the videos of `cache`; workers decode while the model encodes."""
    videos = cache.videos
    data = ClipDataset(split, bench.reader, bench.clips)
    loader = clip_loader(data, settings.batch_size, processes(settings.workers), order=videos)
    done = 0
    for clips in loader:
        cache.add(np.array(videos[done : done + len(clips)]), clips.to(bench.device))
        done += len(clips)
        bar.advance(len(clips))
    return cache.features()


def _used(videos: Sequence[np.ndarray], count: int) -> np.ndarray:
    used = np.zeros(count, dtype=bool)
    for indices in videos:
        used[indices.reshape(-1)] = True
    return used
