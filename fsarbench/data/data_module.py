"""Data module: splits, reader, clip and episode settings, seed and device of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from fsarbench.catalogue.published_results import task_name
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset, to_episode
from fsarbench.episode import Episode
from fsarbench.errors import UserError, nearest
from fsarbench.video import Split, SplitName, VideoReader


@dataclass(frozen=True, kw_only=True)
class DataModule:
    """Splits, reader, clip and episode settings, seed and device of a run.

    Attributes:
        splits: Classes and videos of each split.
        reader: Video reader.
        clips: Clip settings, resolved for the image size of the backbone.
        episodes: Way, shot and number of queries.
        seed: Training seed for episodes, clips and dropout.
        device: Device of the model.
        image_size: Side of the crop in pixels if neither `clips` nor a model sets it.
        feature_info: How the features of the data set were computed; empty for videos, or if
            unknown.
    """

    splits: Mapping[SplitName, Split]
    reader: VideoReader
    clips: ClipSettings
    episodes: EpisodeSettings
    seed: int
    device: torch.device
    image_size: int = 224
    feature_info: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        task = task_name(self.episodes.way, self.episodes.shot)
        return (
            f"DataModule({', '.join(repr(split) for split in self.splits.values())}, "
            f"{type(self.reader).__name__}, {task}, seed {self.seed}, {self.device})"
        )

    def videos_of(self, split: SplitName) -> Split:
        """Classes and videos of a split.

        Raises:
            UserError: There is no such split.
        """
        if split not in self.splits:
            raise UserError(f"There is no split '{split}'.{nearest(split, self.splits)}")
        return self.splits[split]

    def episode(self, split: SplitName, number: int, seed: int = 0) -> Episode:
        """Test episode `number` of a split, with its frames or features, on the model's device.

        Args:
            split: `train`, `val` or `test`.
            number: Number of the episode, from 0.
            seed: Seed of the episodes, `evaluate.seed` of a config.

        Raises:
            UserError: The split cannot fill an episode, or a video cannot be read.
        """
        videos = self.videos_of(split)
        sampler = EpisodeSampler(videos, self.episodes, seed)
        clips = self.clips.resolved(self.image_size)
        data = EpisodeDataset(videos, sampler, self.reader, clips, augment=False)
        return to_episode(data[number], videos, None, self.device)
