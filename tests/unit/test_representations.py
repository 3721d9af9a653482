"""What notebooks and `print` show of the objects that the Python interface returns."""

from pathlib import Path

import torch

from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.episode import Episode
from fsarbench.video import Split, Video


def test_videos_are_counted_and_not_listed() -> None:
    videos = tuple(Video(str(number), Path(f"{number}.mp4"), 0) for number in range(2000))
    split = Split("test", ("a", "b"), ("a", "b"), videos)
    data = DataModule(
        splits={"test": split},
        reader=PyAVReader(),
        clips=ClipSettings(),
        episodes=EpisodeSettings(way=5, shot=1),
        seed=0,
        device=torch.device("cpu"),
    )
    assert repr(data) == (
        "DataModule(Split('test', 2 classes, 2,000 videos), PyAVReader, 5-way 1-shot, seed 0, cpu)"
    )


def test_episodes_have_shapes() -> None:
    frames = torch.zeros(2, 1, 4, 3, 8, 8)
    episode = Episode(frames, frames[:, 0], torch.arange(2), torch.arange(2), ("a", "b"))
    assert repr(episode) == (
        "Episode(support=[2, 1, 4, 3, 8, 8], query=[2, 4, 3, 8, 8], names=('a', 'b'))"
    )
