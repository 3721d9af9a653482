import math

import numpy as np
import pytest

from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.statistics.video_intervals import (
    DrawnVideos,
    class_interval,
    disjoint_episodes,
    disjoint_interval,
    video_estimate,
    video_interval,
    video_variance,
)
from tests.helpers.simulated_benchmark import Field, accuracies, centres, features, generator, truth

FIELD = Field()


def share(intervals: list[Interval], true: float) -> float:
    found = [interval for interval in intervals if not interval.unavailable]
    return float(np.mean([interval.low <= true <= interval.high for interval in found]))


@pytest.fixture(scope="module")
def redrawn() -> tuple[float, list[tuple[np.ndarray, DrawnVideos]]]:
    """The true accuracy on these classes, and tests on videos drawn anew each time."""
    rng = generator(1)
    middle = centres(rng, FIELD)
    tests = []
    for _ in range(150):
        _, videos = FIELD.draw(rng, 1000)
        found = accuracies(features(rng, middle, FIELD), videos, FIELD)
        tests.append((found, FIELD.drawn(videos)))
    return truth(rng, middle, FIELD), tests


def test_it_covers_other_videos_where_the_one_over_episodes_falls_short(redrawn: tuple) -> None:
    true, tests = redrawn
    assert share([video_interval(a, drawn) for a, drawn in tests], true) == pytest.approx(
        0.95, abs=0.05
    )
    assert share([mean_interval(a) for a, _ in tests], true) < 0.8


def test_its_width_is_the_spread_of_accuracies_over_videos(redrawn: tuple) -> None:
    _, tests = redrawn
    spread = np.std([a.mean() for a, _ in tests], ddof=1)
    estimated = math.sqrt(np.mean([video_variance(a, drawn) for a, drawn in tests]))
    assert estimated == pytest.approx(spread, rel=0.2)


def test_disjoint_episodes_cover_other_videos_less_sharply(redrawn: tuple) -> None:
    true, tests = redrawn
    disjoint = [disjoint_interval(a, drawn) for a, drawn in tests]
    assert share(disjoint, true) == pytest.approx(0.95, abs=0.05)
    assert np.nanmean([i.half_width for i in disjoint]) > 1.5 * np.mean(
        [video_interval(a, drawn).half_width for a, drawn in tests]
    )


def test_other_classes_are_covered_by_the_interval_over_classes() -> None:
    rng = generator(2)
    true = np.mean([truth(rng, centres(rng, FIELD), FIELD, 2000) for _ in range(300)])
    over_classes, over_videos = [], []
    for _ in range(150):
        classes, videos = FIELD.draw(rng, 600)
        found = accuracies(features(rng, centres(rng, FIELD), FIELD), videos, FIELD)
        over_classes.append(class_interval(found, classes, FIELD.classes))
        over_videos.append(video_interval(found, FIELD.drawn(videos)))
    assert share(over_classes, float(true)) == pytest.approx(0.95, abs=0.05)
    assert share(over_videos, float(true)) < 0.8


def test_disjoint_episodes_are_independent_values() -> None:
    """Closed form: where no video comes twice, nothing is left but the episodes' own variance."""
    rng = generator(3)
    videos = np.arange(600).reshape(100, 6)
    drawn = DrawnVideos(videos, np.zeros(600, dtype=np.int64))
    values = rng.random(100)
    alone = values.var(ddof=1) / 100
    assert alone <= video_variance(values, drawn) < 1.2 * alone
    assert disjoint_episodes(videos).all()
    assert disjoint_interval(values, drawn).half_width == pytest.approx(
        mean_interval(values).half_width
    )


def test_one_video_an_episode_is_the_closed_form_of_clusters() -> None:
    """Videos seen m times each, all of their values equal: the variance over the videos."""
    effects = generator(4).random(50)
    videos = np.tile(np.arange(50), 200)[:, None]
    drawn = DrawnVideos(videos, np.zeros(50, dtype=np.int64))
    variance = video_variance(effects[videos[:, 0]], drawn)
    assert variance == pytest.approx(effects.var(ddof=1) / 50, rel=0.02)
    interval = video_interval(effects[videos[:, 0]], drawn)
    assert interval.mean == pytest.approx(effects.mean())
    assert interval.half_width == pytest.approx(2.009575 * math.sqrt(variance))
    assert interval.n == 50


def test_the_difficulty_of_classes_is_no_spread_of_videos() -> None:
    """Classes stay the same: what they alone explain is not counted."""
    rng = generator(5)
    classes, videos = FIELD.draw(rng, 2000)
    values = np.linspace(0, 1, FIELD.classes)[classes].mean(axis=1)
    # In two places of three the variance over pairs comes out below 0 and counts as none.
    assert video_variance(values, FIELD.drawn(videos)) == pytest.approx(
        values.var(ddof=1) / 2000, rel=0.5
    )
    assert class_interval(values, classes, FIELD.classes).half_width > 0.1


def test_nothing_is_known_of_other_videos_where_each_episode_takes_all() -> None:
    field = Field(videos=2)
    classes, videos = field.draw(generator(6), 100)
    values = generator(7).random(100)
    assert math.isnan(video_interval(values, field.drawn(videos)).half_width)
    assert math.isnan(class_interval(values, classes % 5, 5).half_width)


def test_videos_that_no_episode_uses_do_no_harm() -> None:
    drawn = DrawnVideos(np.array([[0, 3], [1, 4], [0, 4]]), np.array([0, 0, 0, 1, 1, 1, 2, 2]))
    assert video_variance(np.array([0.2, 0.4, 0.3]), drawn) > 0


def test_each_says_what_it_covers_and_what_not(redrawn: tuple) -> None:
    _, tests = redrawn
    values, drawn = tests[0]
    over_videos = video_interval(values, drawn)
    assert "test videos" in over_videos.covers
    assert "classes" in over_videos.leaves_out
    assert "test videos" in mean_interval(values).leaves_out
    assert "classes" in class_interval(values, drawn.videos // FIELD.videos, 12).covers


def test_ten_thousand_episodes_are_one_pass_over_arrays() -> None:
    rng = generator(8)
    field = Field(classes=24, videos=40)
    values = rng.random(10_000)
    _, videos = field.draw(rng, 10_000)
    assert 0 < video_interval(values, field.drawn(videos)).half_width < 0.05


def test_no_interval_over_classes_where_every_episode_holds_them_all() -> None:
    field = Field(classes=5, videos=20, way=5)
    classes, _ = field.draw(generator(9), 600)
    interval = class_interval(generator(9).random(600), classes, 5)
    assert math.isnan(interval.half_width)
    assert "every episode holds all 5 test classes" in interval.unavailable


def test_no_interval_over_videos_where_every_episode_takes_them_all() -> None:
    field = Field(videos=2)
    _, videos = field.draw(generator(6), 100)
    interval = video_interval(generator(7).random(100), field.drawn(videos))
    assert "every episode takes all videos of a class" in interval.unavailable


def test_ten_episodes_do_not_tell_videos_from_chance() -> None:
    field = Field(classes=5, videos=6, way=5)
    _, videos = field.draw(generator(10), 10)
    interval = video_interval(generator(10).random(10), field.drawn(videos))
    assert "10 episodes do not tell the spread between videos from chance" in interval.unavailable


def test_few_episodes_have_few_degrees_of_freedom_whatever_the_number_of_videos() -> None:
    """They had 456, of a variance that is known from 300 episodes: 24-way covered 88 of 100."""
    field, rng = Field(classes=24, videos=20), generator(11)
    effects = rng.random(480)
    found = []
    for episodes in (400, 20_000):
        _, videos = field.draw(rng, episodes)
        drawn = field.drawn(videos)
        values = effects[drawn.videos].mean(axis=1) + 0.2 * rng.normal(size=episodes)
        found.append(video_estimate(values, drawn).freedom)
    assert 4 <= found[0] < 60
    assert found[1] == 456


def test_an_accuracy_of_all_is_no_certainty_over_videos_or_classes() -> None:
    classes, videos = FIELD.draw(generator(12), 50)
    drawn, ones = FIELD.drawn(videos), np.ones(50)
    for interval in (
        video_interval(ones, drawn),
        class_interval(ones, classes, FIELD.classes),
        disjoint_interval(ones, drawn),
    ):
        assert math.isnan(interval.half_width)
        assert interval.unavailable
