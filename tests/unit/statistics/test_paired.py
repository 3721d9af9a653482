import math

import numpy as np
import pytest
from scipy import stats

from fsarbench.statistics.intervals import Estimate, mean_interval
from fsarbench.statistics.paired import (
    best_correction,
    best_level,
    holm,
    paired_difference,
    range_p_value,
    smallest_detectable,
)
from tests.helpers.simulated_benchmark import Benchmark, generator

BENCHMARK = Benchmark(classes=24, videos=40)


def two_methods(seed: int, gain: float, own: float = 0.02) -> tuple:
    """Accuracies of two methods on the same episodes, with effects of videos on both methods.

    Args:
        seed: Seed of the videos and episodes.
        gain: True difference of the methods.
        own: Standard deviation of the effects of videos on each method separately.
    """
    rng = generator(seed)
    count = BENCHMARK.classes * BENCHMARK.videos
    common, *effects = (size * rng.normal(size=count) for size in (0.3, own, own))
    videos = BENCHMARK.videos_of(BENCHMARK.draw(rng, 1000)[1])
    noise = 0.2 * rng.normal(size=1000)
    first, second = (
        mean + (common + effect)[videos.videos].mean(axis=1) + noise
        for mean, effect in zip((0.6 + gain, 0.6), effects, strict=True)
    )
    return first[None], second[None], videos


def test_without_videos_and_seeds_the_result_is_that_of_the_paired_t_test() -> None:
    first, second = generator(0).random((2, 1, 50))
    difference = paired_difference(first, second)
    expected = stats.ttest_rel(first[0], second[0])
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert difference.interval.low == pytest.approx(expected.confidence_interval().low)


def test_without_spread_over_episodes_the_result_is_that_of_welchs_test_over_seeds() -> None:
    first, second = np.array([[0.61], [0.64], [0.60]]), np.array([[0.55], [0.56]])
    wide = np.ones((1, 40))
    difference = paired_difference(first * wide, second * wide)
    expected = stats.ttest_ind(first[:, 0], second[:, 0], equal_var=False)
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert difference.interval.high == pytest.approx(expected.confidence_interval().high)
    assert "seeds" in difference.interval.covers


def test_the_paired_test_finds_one_point_that_the_unpaired_test_misses() -> None:
    paired, unpaired = [], []
    for seed in range(60):
        first, second, videos = two_methods(seed, gain=0.01)
        paired.append(paired_difference(first, second, videos).p_value < 0.05)
        unpaired.append(stats.ttest_ind(first[0], second[0]).pvalue < 0.05)
    assert np.mean(paired) > 0.9
    assert np.mean(unpaired) < 0.3


def test_the_rate_of_false_findings_is_the_level_of_the_test() -> None:
    """The methods are equal on average, but different videos are hard for them."""
    over_videos, over_episodes, covered = [], [], []
    for seed in range(200):
        first, second, videos = two_methods(seed, gain=0.0, own=0.2)
        difference = paired_difference(first, second, videos)
        over_videos.append(difference.p_value < 0.05)
        over_episodes.append(paired_difference(first, second).p_value < 0.05)
        covered.append(difference.interval.low <= 0 <= difference.interval.high)
    assert np.mean(over_videos) == pytest.approx(0.05, abs=0.04)
    assert np.mean(covered) == 1 - np.mean(over_videos)
    # Treated as independent, episodes that share videos give too many false findings.
    assert np.mean(over_episodes) > 0.12


def test_several_seeds_widen_the_interval() -> None:
    first, second, videos = two_methods(0, gain=0.02)
    once = paired_difference(first, second, videos)
    three_seeds = paired_difference(first + np.array([[-0.02], [0.0], [0.02]]), second, videos)
    assert three_seeds.interval.mean == pytest.approx(once.interval.mean)
    assert three_seeds.interval.half_width > once.interval.half_width
    assert "the first again" in three_seeds.interval.covers
    assert "trained once" in three_seeds.interval.leaves_out


def test_equal_predictions_have_no_difference() -> None:
    first, _, videos = two_methods(0, gain=0.0)
    difference = paired_difference(first, first.copy(), videos)
    assert (difference.interval.mean, difference.p_value) == (0, 1)
    assert math.isnan(difference.interval.half_width)
    assert "same difference" in difference.interval.unavailable


def test_a_constant_difference_is_not_tested() -> None:
    """A test would give an interval without width and p = 0."""
    difference = paired_difference(np.full((1, 8), 0.75), np.full((1, 8), 0.5))
    assert difference.interval.mean == 0.25
    assert math.isnan(difference.p_value)
    assert "all 8 episodes have the same difference" in difference.interval.unavailable


def test_one_episode_is_not_tested() -> None:
    difference = paired_difference(np.array([[0.5]]), np.array([[0.4]]))
    assert math.isnan(difference.p_value)
    assert math.isnan(difference.interval.low)


def test_holms_correction_keeps_false_findings_rare() -> None:
    values = generator(1).random((4000, 6))
    assert np.mean(values.min(axis=1) < 0.05) > 0.2
    corrected = np.array([holm(row) for row in values])
    assert np.mean(corrected.min(axis=1) < 0.05) == pytest.approx(0.05, abs=0.012)


def test_holms_correction_in_any_order_and_at_most_one() -> None:
    assert holm([0.04, 0.9, 0.01, 0.03]).tolist() == pytest.approx([0.09, 0.9, 0.04, 0.09])
    assert holm([0.6, 0.7]).tolist() == [1, 1]
    assert holm([0.02]).tolist() == [0.02]
    assert holm([]).size == 0


def test_the_interval_of_the_difference_is_narrower_than_that_of_either_accuracy() -> None:
    first, second, _ = two_methods(0, gain=0.01)
    assert (
        paired_difference(first, second).interval.half_width
        < mean_interval(first[0]).half_width / 2
    )


def test_few_seeds_with_a_large_variance_rarely_give_false_findings() -> None:
    """Three seeds against a method without training; Satterthwaite's rate would be 8 %."""
    p_values = []
    for seed in range(400):
        rng = generator(seed)
        episodes = 0.02 * rng.normal(size=(1, 40))
        seeds = 0.01 * rng.normal(size=(3, 1))
        first, second = 0.6 + episodes + seeds, np.full((1, 40), 0.6)
        p_values.append(paired_difference(first, second, trained=(True, False)).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.065
    assert np.mean(np.array(p_values) < 0.0056) < 0.013


def test_one_training_on_a_side_is_marked() -> None:
    first, second, videos = two_methods(0, gain=0.02)
    three_seeds = first + np.array([[-0.02], [0.0], [0.02]])
    assert paired_difference(three_seeds, second, videos).one_training
    assert paired_difference(first, second, videos).one_training
    assert not paired_difference(
        three_seeds, second + np.array([[0.0], [0.01]]), videos
    ).one_training
    # Without training, further runs would be identical.
    untrained = paired_difference(three_seeds, second, videos, trained=(True, False))
    assert not untrained.one_training
    assert "trained once" not in untrained.interval.leaves_out


@pytest.mark.parametrize(("freedom", "level"), [(2, 0.05), (4, 0.0056), (900, 0.05)])
def test_the_smallest_detectable_difference_agrees_with_the_noncentral_t(
    freedom: int, level: float
) -> None:
    difference = smallest_detectable([Estimate(0.01, freedom)], level)
    critical, shift = stats.t.isf(level / 2, freedom), difference / 0.1
    power = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
    assert power == pytest.approx(0.8, abs=1e-3)


def test_a_detectable_difference_is_found_with_the_stated_power() -> None:
    once = paired_difference(*two_methods(0, gain=0.0))
    gain = once.detectable(0.05)
    difference = [paired_difference(*two_methods(s, gain=gain)).p_value < 0.05 for s in range(150)]
    assert np.mean(difference) == pytest.approx(0.8, abs=0.1)


def test_the_best_of_equal_rows_is_rarely_called_better() -> None:
    """Holm's correction would give too many false findings, as the best is chosen by its mean."""
    rng, holms, corrected = generator(2), [], []
    for _ in range(600):
        means = np.sort(rng.normal(size=10))
        p_values = 2 * stats.norm.sf((means[-1] - means[:-1]) / math.sqrt(2))
        holms.append(holm(p_values).min() < 0.05)
        corrected.append(best_correction(p_values).min() < 0.05)
    assert np.mean(holms) > 0.09
    assert np.mean(corrected) == pytest.approx(0.05, abs=0.03)


def test_the_correction_for_the_best_agrees_with_the_studentized_range() -> None:
    expected = stats.studentized_range.sf(math.sqrt(2) * stats.norm.isf(0.01 / 2), 6, 1e6)
    assert range_p_value(0.01, 6) == pytest.approx(expected, rel=1e-4)
    assert range_p_value(best_level(0.05, 6), 6) == pytest.approx(0.05)
    assert best_correction([0.03]).tolist() == [0.03]
    assert best_correction([]).size == 0
    assert best_correction([0.2, math.nan])[0] >= 0.2
    assert range_p_value(1e-200, 10) < 1e-197
