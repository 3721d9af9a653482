"""Data loaders: equal batches for any number of workers, and errors that name the video."""

import os
import pickle
import signal
import tempfile
from pathlib import Path

import pytest
import torch

from fsarbench.cli import app
from fsarbench.data.clips import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import (
    ClipDataset,
    EpisodeDataset,
    EpisodeOrder,
    clip_loader,
    episode_loader,
)
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video
from tests.helpers.video_files import write

CLIPS = ClipSettings(frames=4, size=32, flip=True, jitter=0.2)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Video, ...]:
    folder = tmp_path_factory.mktemp("clips")
    paths = [folder / f"{number}.mp4" for number in range(12)]
    for number, path in enumerate(paths):
        write(path, count=12 + number)
    return tuple(Video(path.stem, path, number % 3) for number, path in enumerate(paths))


def split_of(videos: tuple[Video, ...], name: SplitName = "train") -> Split:
    return Split(name, ("a", "b", "c"), ("a", "b", "c"), videos)


def episodes_of(
    videos: tuple[Video, ...], clips: ClipSettings = CLIPS, augment: bool = True
) -> EpisodeDataset:
    split = split_of(videos)
    sampler = EpisodeSampler(split, EpisodeSettings(way=2, shot=2, queries=1), seed=3)
    return EpisodeDataset(split, sampler, PyAVReader(), clips, augment)


def test_a_sample_is_an_episode_with_its_frames(videos: tuple[Video, ...]) -> None:
    data = episodes_of(videos)
    sample = data[5]
    assert sample["support"].shape == (2, 2, 4, 3, 32, 32)
    assert sample["query"].shape == (2, 4, 3, 32, 32)
    assert sample["support"].dtype == torch.uint8
    assert sample["labels"].tolist() == [0, 1]
    assert sample["classes"].tolist() == data.sampler.episode(5).classes.tolist()
    assert sample["iteration"].item() == 5


def test_episodes_have_the_clips_of_their_videos(videos: tuple[Video, ...]) -> None:
    data = episodes_of(videos, augment=False)
    index, sample = data.sampler.episode(1), data[1]
    clips = ClipDataset(data.split, PyAVReader(), CLIPS)
    assert torch.equal(sample["support"][1, 0], clips[int(index.support[1, 0])])
    assert torch.equal(sample["query"][1], clips[int(index.query[1])])


def test_only_training_and_stochastic_clips_change_by_episode(videos: tuple[Video, ...]) -> None:
    sampler = EpisodeSampler(split_of(videos[:6]), EpisodeSettings(way=3), seed=0)
    stochastic = ClipSettings(frames=4, size=32, sampling="random")
    for clips, augment, varies in [
        (CLIPS, True, True),
        (CLIPS, False, False),
        (stochastic, False, True),
    ]:
        data = EpisodeDataset(split_of(videos[:6]), sampler, PyAVReader(), clips, augment)
        sampled = [data._clip(number, 0, 0) for number in range(4)]
        assert varies == any(not torch.equal(sampled[0], clip) for clip in sampled[1:])


def test_batches_are_the_same_for_any_number_of_workers(videos: tuple[Video, ...]) -> None:
    runs = [
        list(episode_loader(episodes_of(videos), EpisodeOrder(2, 8), workers))
        for workers in (0, 1, 2)
    ]
    for run in runs:
        assert [int(batch["iteration"]) for batch in run] == [2, 3, 4, 5, 6, 7]
        for batch, reference in zip(run, runs[0], strict=True):
            tensors = [key for key, value in reference.items() if torch.is_tensor(value)]
            assert {"support", "query", "labels"} <= set(tensors)
            assert all(torch.equal(batch[key], reference[key]) for key in tensors)


def test_clips_are_in_order_for_any_number_of_workers(videos: tuple[Video, ...]) -> None:
    data = ClipDataset(split_of(videos), PyAVReader(), CLIPS)
    batches = [list(clip_loader(data, 5, workers)) for workers in (0, 2)]
    assert [len(batch) for batch in batches[1]] == [5, 5, 2]
    assert torch.equal(torch.cat(batches[0]), torch.cat(batches[1]))
    chosen = torch.cat(list(clip_loader(data, 2, order=[7, 1, 4])))
    assert torch.equal(chosen, torch.stack([data[7], data[1], data[4]]))


def test_ranks_share_the_episodes_without_overlap() -> None:
    ranks = [EpisodeOrder(10, 21, rank, 3) for rank in range(3)]
    assert sorted(number for order in ranks for number in order) == list(range(10, 21))
    assert [len(order) for order in ranks] == [4, 4, 3]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_main_process_names_a_corrupt_video(
    workers: int, videos: tuple[Video, ...], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    data = ClipDataset(split_of((*videos[:3], Video("x", broken, 0))), PyAVReader(), CLIPS)
    with pytest.raises(UserError) as caught:
        list(clip_loader(data, 1, workers))
    assert str(caught.value).startswith(f"The video {broken} cannot be decoded")
    assert "\n" not in str(caught.value)


def test_datasets_can_be_pickled(videos: tuple[Video, ...]) -> None:
    data = episodes_of(videos)
    copy = pickle.loads(pickle.dumps(data))
    assert torch.equal(copy[4]["query"], data[4]["query"])


def test_a_temporary_folder_with_a_long_path_is_an_error(
    videos: tuple[Video, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 100)))
    data = ClipDataset(split_of(videos), PyAVReader(), CLIPS)
    with pytest.raises(UserError, match="set TMPDIR to a shorter one"):
        list(clip_loader(data, 1, 2))
    assert len(list(clip_loader(data, 12, 0))) == 1


class KilledReader(PyAVReader):
    """Reader that kills its process when it reads a frame."""

    def read(self, path: Path, indices: object) -> object:
        """Kill the process, as the system does when memory runs out."""
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.timeout(60)
def test_a_killed_worker_gives_a_message(videos: tuple[Video, ...]) -> None:
    data = ClipDataset(split_of(videos), KilledReader(), CLIPS)
    with pytest.raises(UserError, match=r"was killed|reached"):
        list(clip_loader(data, 1, 2))


def test_a_worker_killed_outside_the_loader_ends_the_command_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    monkeypatch.setattr(app, "app", fail)
    with pytest.raises(SystemExit) as end:
        app.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.count("fsarbench: ") == 1
