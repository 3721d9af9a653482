"""What training and testing run on, handed over as one object."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from fsarbench.data.clips import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.video import Split, SplitName, VideoReader


@dataclass(frozen=True, kw_only=True)
class DataModule:
    """Videos, how they become clips and episodes, and where the numbers are computed.

    Attributes:
        splits: The classes and videos of each stage.
        reader: Who decodes videos.
        clips: How clips are cut; resolved for the backbone's image size.
        episodes: The kind of task.
        seed: Of training: its episodes, clips and dropout.
        device: Where the model is.
    """

    splits: Mapping[SplitName, Split]
    reader: VideoReader
    clips: ClipSettings
    episodes: EpisodeSettings
    seed: int
    device: torch.device
