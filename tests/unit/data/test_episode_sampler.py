"""Episode sampler: episodes depend only on the seed, the split and their number."""

from pathlib import Path

import numpy as np
import pytest

from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.video import Split, SplitName, Video


def split_of(counts: list[int], name: SplitName = "test") -> Split:
    """Split with the given number of videos per class, not sorted by class."""
    videos = [
        Video(f"{label}-{k}", Path(f"{label}-{k}.mp4"), label)
        for k in range(max(counts))
        for label, count in enumerate(counts)
        if k < count
    ]
    names = tuple(f"class {label}" for label in range(len(counts)))
    return Split(name, names, names, tuple(videos))


def sampler(way: int = 5, shot: int = 1, queries: int = 2, seed: int = 7) -> EpisodeSampler:
    settings = EpisodeSettings(way=way, shot=shot, queries=queries)
    return EpisodeSampler(split_of([12, 9, 10, 11, 30, 8, 10]), settings, seed)


def test_the_first_episodes_are_pinned() -> None:
    # If these numbers change, all published results change.
    first = sampler(way=3).episode(0)
    assert first.classes.tolist() == [6, 1, 5]
    assert first.support.tolist() == [[27], [57], [47]]
    assert first.query.tolist() == [41, 66, 50, 36, 33, 40]
    assert first.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert sampler(way=3).episode(9_999).classes.tolist() == [1, 4, 0]


def test_an_episode_does_not_depend_on_earlier_ones() -> None:
    used = sampler()
    for number in range(5):
        used.episode(number)
    np.testing.assert_array_equal(used.episode(3).query, sampler().episode(3).query)


@pytest.mark.parametrize(("way", "shot", "queries"), [(5, 1, 2), (7, 3, 5), (2, 1, 1)])
def test_episodes_drawn_at_once_are_those_drawn_one_by_one(
    way: int, shot: int, queries: int
) -> None:
    drawn = sampler(way, shot, queries)
    together = drawn.episodes(range(3, 60))
    alone = [drawn.episode(number) for number in range(3, 60)]
    for array, name in zip(together, ("classes", "support", "query"), strict=True):
        np.testing.assert_array_equal(array, np.stack([getattr(each, name) for each in alone]))
        assert array.dtype == np.int64


@pytest.mark.parametrize("shot", [1, 3])
def test_episodes_are_well_formed(shot: int) -> None:
    episodes = sampler(shot=shot)
    labels = np.array([video.label for video in split_of([12, 9, 10, 11, 30, 8, 10]).videos])
    for number in range(200):
        episode = episodes.episode(number)
        assert episode.support.shape == (5, shot)
        assert len(set(episode.classes.tolist())) == 5
        videos = [*episode.support.reshape(-1).tolist(), *episode.query.tolist()]
        assert len(set(videos)) == 5 * (shot + 2)
        assert (labels[episode.support] == episode.classes[:, None]).all()
        assert (labels[episode.query] == episode.classes[episode.labels]).all()


def test_all_classes_and_videos_are_sampled_equally_often() -> None:
    pairs = sampler(way=2, queries=1)
    episodes = [pairs.episode(number) for number in range(3500)]
    classes = np.bincount(np.concatenate([e.classes for e in episodes]), minlength=7)
    assert classes.min() > 880
    assert classes.max() < 1120
    ascending = np.mean([e.classes[0] < e.classes[1] for e in episodes])
    assert 0.46 < ascending < 0.54
    support = np.concatenate([e.support.reshape(-1) for e in episodes])
    assert len(set(support.tolist())) == 90


def test_seed_and_split_change_the_episodes() -> None:
    settings = EpisodeSettings(queries=1)
    sampled = {
        tuple(EpisodeSampler(split_of([20] * 9, name), settings, seed).episode(0).query.tolist())
        for name in ("train", "test")
        for seed in (0, 1)
    }
    assert len(sampled) == 4


def test_training_may_use_another_number_of_queries() -> None:
    settings = EpisodeSettings(queries=1, train_queries=3)
    assert EpisodeSampler(split_of([9] * 5, "train"), settings, 0).episode(0).query.shape == (15,)
    assert EpisodeSampler(split_of([9] * 5, "val"), settings, 0).episode(0).query.shape == (5,)


def test_training_has_its_own_way_and_shot() -> None:
    settings = EpisodeSettings(way=5, shot=5, queries=1, train_way=3, train_shot=1)
    assert EpisodeSampler(split_of([9] * 5, "train"), settings, 0).episode(0).support.shape == (
        3,
        1,
    )
    assert EpisodeSampler(split_of([9] * 5, "val"), settings, 0).episode(0).support.shape == (5, 5)
    assert EpisodeSampler(split_of([9] * 5), settings, 0).episode(0).support.shape == (5, 5)


def test_training_episodes_of_the_shot_of_testing_are_those_without_the_option() -> None:
    plain, given = EpisodeSettings(shot=2), EpisodeSettings(shot=2, train_way=5, train_shot=2)
    one, two = (EpisodeSampler(split_of([9] * 6, "train"), s, 0).episode(3) for s in (plain, given))
    np.testing.assert_array_equal(one.support, two.support)
    np.testing.assert_array_equal(one.query, two.query)


def test_settings_of_training_are_named_where_they_are_too_large() -> None:
    settings = EpisodeSettings(way=2, train_way=4, train_shot=9)
    with pytest.raises(UserError, match=r"3 classes, but episodes\.train_way asks for 4"):
        EpisodeSampler(split_of([9, 6, 7], "train"), settings, 0)
    settings = EpisodeSettings(way=2, train_shot=9)
    with pytest.raises(UserError, match=r"Lower episodes\.train_shot or episodes\.queries"):
        EpisodeSampler(split_of([9, 6, 7], "train"), settings, 0)


def test_a_class_with_too_few_videos_is_named() -> None:
    settings = EpisodeSettings(way=2, shot=5, queries=2)
    with pytest.raises(UserError) as caught:
        EpisodeSampler(split_of([9, 6, 7]), settings, 0)
    for part in ("test split", "'class 1' has 6", "takes 7", "episodes.shot", "episodes.queries"):
        assert part in str(caught.value)
    assert "class 2" not in str(caught.value)


def test_too_many_train_queries_are_named() -> None:
    settings = EpisodeSettings(way=2, train_queries=9)
    with pytest.raises(UserError, match=r"Lower episodes.shot or episodes\.train_queries"):
        EpisodeSampler(split_of([9, 6, 7], "train"), settings, 0)


def test_too_few_classes_are_named() -> None:
    with pytest.raises(UserError, match=r"has 3 classes, but episodes\.way asks for 5"):
        EpisodeSampler(split_of([9, 9, 9]), EpisodeSettings(), 0)


@pytest.mark.parametrize(
    "key", ["way", "shot", "queries", "train_way", "train_shot", "train_queries"]
)
def test_wrong_settings_are_named(key: str) -> None:
    with pytest.raises(UserError, match=f"episodes.{key} is 0"):
        EpisodeSettings(**{key: 0})
