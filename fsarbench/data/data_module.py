"""Data module: splits, reader, clip and episode settings, seed and device of a run."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from fsarbench.data.clips import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
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
    """

    splits: Mapping[SplitName, Split]
    reader: VideoReader
    clips: ClipSettings
    episodes: EpisodeSettings
    seed: int
    device: torch.device
