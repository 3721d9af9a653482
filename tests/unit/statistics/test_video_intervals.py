import math

import numpy as np
import pytest

from fsarbench.statistics.intervals import Interval, mean_interval
from fsarbench.statistics.video_intervals import (
    EpisodeVideos,
    class_interval,
    disjoint_episodes,
    disjoint_interval,
    video_estimate,
    video_interval,
    video_variance,
)
from tests.helpers.simulated_benchmark import (
    Benchmark,
    accuracies,
    centres,
    features,
    generator,
    truth,
)

BENCHMARK = Benchmark()


def coverage(intervals: list[Interval], true: float) -> float:
    available = [interval for interval in intervals if not interval.unavailable]
    return float(np.mean([interval.low <= true <= interval.high for interval in available]))


@pytest.fixture(scope="module")
def resampled() -> tuple[float, list[tuple[np.ndarray, EpisodeVideos]]]:
    """True accuracy on fixed classes, and accuracies on newly sampled videos."""
    rng = generator(1)
    middle = centres(rng, BENCHMARK)
    samples = []
    for _ in range(150):
        _, videos = BENCHMARK.draw(rng, 1000)
        found = accuracies(features(rng, middle, BENCHMARK), videos, BENCHMARK)
        samples.append((found, BENCHMARK.videos_of(videos)))
    return truth(rng, middle, BENCHMARK), samples


def test_only_the_interval_over_videos_covers_other_videos(resampled: tuple) -> None:
    true, samples = resampled
    assert coverage([video_interval(a, videos) for a, videos in samples], true) == pytest.approx(
        0.95, abs=0.05
    )
    assert coverage([mean_interval(a) for a, _ in samples], true) < 0.8


def test_the_estimated_variance_is_that_of_accuracies_over_videos(resampled: tuple) -> None:
    _, samples = resampled
    spread = np.std([a.mean() for a, _ in samples], ddof=1)
    estimated = math.sqrt(np.mean([video_variance(a, videos) for a, videos in samples]))
    assert estimated == pytest.approx(spread, rel=0.2)


def test_the_interval_over_disjoint_episodes_is_wider(resampled: tuple) -> None:
    true, samples = resampled
    disjoint = [disjoint_interval(a, videos) for a, videos in samples]
    assert coverage(disjoint, true) == pytest.approx(0.95, abs=0.05)
    assert np.nanmean([i.half_width for i in disjoint]) > 1.5 * np.mean(
        [video_interval(a, videos).half_width for a, videos in samples]
    )


def test_other_classes_are_covered_by_the_interval_over_classes() -> None:
    rng = generator(2)
    true = np.mean([truth(rng, centres(rng, BENCHMARK), BENCHMARK, 2000) for _ in range(300)])
    over_classes, over_videos = [], []
    for _ in range(150):
        classes, videos = BENCHMARK.draw(rng, 600)
        found = accuracies(features(rng, centres(rng, BENCHMARK), BENCHMARK), videos, BENCHMARK)
        over_classes.append(class_interval(found, classes, BENCHMARK.classes))
        over_videos.append(video_interval(found, BENCHMARK.videos_of(videos)))
    assert coverage(over_classes, float(true)) == pytest.approx(0.95, abs=0.05)
    assert coverage(over_videos, float(true)) < 0.8


def test_disjoint_episodes_are_independent_values() -> None:
    """Without repeated videos, the variance is that of independent values."""
    rng = generator(3)
    videos = np.arange(600).reshape(100, 6)
    episode_videos = EpisodeVideos(videos, np.zeros(600, dtype=np.int64))
    values = rng.random(100)
    independent = values.var(ddof=1) / 100
    assert independent <= video_variance(values, episode_videos) < 1.2 * independent
    assert disjoint_episodes(videos).all()
    assert disjoint_interval(values, episode_videos).half_width == pytest.approx(
        mean_interval(values).half_width
    )


def test_disjoint_episodes_share_no_video_with_an_earlier_selected_one() -> None:
    videos = generator(5).integers(0, 80, (300, 4))
    used: set[int] = set()
    expected = []
    for episode in videos.tolist():
        expected.append(used.isdisjoint(episode))
        used |= set(episode) if expected[-1] else set()
    assert disjoint_episodes(videos).tolist() == expected


def test_the_variance_with_one_video_per_episode_has_a_closed_form() -> None:
    """If all episodes of a video have the same value, the variance is that over the videos."""
    effects = generator(4).random(50)
    videos = np.tile(np.arange(50), 200)[:, None]
    episode_videos = EpisodeVideos(videos, np.zeros(50, dtype=np.int64))
    variance = video_variance(effects[videos[:, 0]], episode_videos)
    assert variance == pytest.approx(effects.var(ddof=1) / 50, rel=0.02)
    interval = video_interval(effects[videos[:, 0]], episode_videos)
    assert interval.mean == pytest.approx(effects.mean())
    assert interval.half_width == pytest.approx(2.009575 * math.sqrt(variance))
    assert interval.n == 50


def test_the_difficulty_of_classes_does_not_count_as_variance_over_videos() -> None:
    """The interval over videos keeps the classes, so that differences of classes do not count."""
    rng = generator(5)
    classes, videos = BENCHMARK.draw(rng, 2000)
    values = np.linspace(0, 1, BENCHMARK.classes)[classes].mean(axis=1)
    # With two of three seeds, the estimate over pairs is negative and is set to 0.
    assert video_variance(values, BENCHMARK.videos_of(videos)) == pytest.approx(
        values.var(ddof=1) / 2000, rel=0.5
    )
    assert class_interval(values, classes, BENCHMARK.classes).half_width > 0.1


def test_no_interval_if_each_episode_takes_all_videos_or_classes() -> None:
    benchmark = Benchmark(videos=2)
    classes, videos = benchmark.draw(generator(6), 100)
    values = generator(7).random(100)
    assert math.isnan(video_interval(values, benchmark.videos_of(videos)).half_width)
    assert math.isnan(class_interval(values, classes % 5, 5).half_width)


def test_videos_without_an_episode_are_allowed() -> None:
    episode_videos = EpisodeVideos(
        np.array([[0, 3], [1, 4], [0, 4]]), np.array([0, 0, 0, 1, 1, 1, 2, 2])
    )
    assert video_variance(np.array([0.2, 0.4, 0.3]), episode_videos) > 0


def test_each_interval_describes_what_it_covers(resampled: tuple) -> None:
    _, samples = resampled
    values, episode_videos = samples[0]
    over_videos = video_interval(values, episode_videos)
    assert "test videos" in over_videos.covers
    assert "classes" in over_videos.leaves_out
    assert "test videos" in mean_interval(values).leaves_out
    assert "classes" in class_interval(values, episode_videos.videos // BENCHMARK.videos, 12).covers


def test_an_interval_of_ten_thousand_episodes() -> None:
    rng = generator(8)
    benchmark = Benchmark(classes=24, videos=40)
    values = rng.random(10_000)
    _, videos = benchmark.draw(rng, 10_000)
    assert 0 < video_interval(values, benchmark.videos_of(videos)).half_width < 0.05


def test_the_reason_if_every_episode_has_all_classes() -> None:
    benchmark = Benchmark(classes=5, videos=20, way=5)
    classes, _ = benchmark.draw(generator(9), 600)
    interval = class_interval(generator(9).random(600), classes, 5)
    assert math.isnan(interval.half_width)
    assert "every episode holds all 5 test classes" in interval.unavailable


def test_the_reason_if_every_episode_takes_all_videos() -> None:
    benchmark = Benchmark(videos=2)
    _, videos = benchmark.draw(generator(6), 100)
    interval = video_interval(generator(7).random(100), benchmark.videos_of(videos))
    assert "every episode takes all videos of a class" in interval.unavailable


def test_no_interval_over_videos_from_ten_episodes() -> None:
    benchmark = Benchmark(classes=5, videos=6, way=5)
    _, videos = benchmark.draw(generator(10), 10)
    interval = video_interval(generator(10).random(10), benchmark.videos_of(videos))
    assert "10 episodes do not tell the spread between videos from chance" in interval.unavailable


def test_few_episodes_have_few_degrees_of_freedom_even_with_many_videos() -> None:
    """With degrees of freedom of the videos only, the coverage was 88 % instead of 95 %."""
    benchmark, rng = Benchmark(classes=24, videos=20), generator(11)
    effects = rng.random(480)
    dofs = []
    for episodes in (400, 20_000):
        _, videos = benchmark.draw(rng, episodes)
        episode_videos = benchmark.videos_of(videos)
        values = effects[episode_videos.videos].mean(axis=1) + 0.2 * rng.normal(size=episodes)
        dofs.append(video_estimate(values, episode_videos).dof)
    assert 4 <= dofs[0] < 60
    assert dofs[1] == 456


def test_no_interval_if_all_queries_are_correct() -> None:
    classes, videos = BENCHMARK.draw(generator(12), 50)
    episode_videos, ones = BENCHMARK.videos_of(videos), np.ones(50)
    for interval in (
        video_interval(ones, episode_videos),
        class_interval(ones, classes, BENCHMARK.classes),
        disjoint_interval(ones, episode_videos),
    ):
        assert math.isnan(interval.half_width)
        assert interval.unavailable
