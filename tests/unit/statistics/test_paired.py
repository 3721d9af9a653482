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
from tests.helpers.simulated_benchmark import Field, generator

FIELD = Field(classes=24, videos=40)


def two_methods(seed: int, gain: float, own: float = 0.02) -> tuple:
    """Accuracies of two methods on episodes of videos that are hard or easy for both.

    Args:
        seed: Of the videos and episodes.
        gain: The true difference.
        own: The spread of a video's effect on each method alone.
    """
    rng = generator(seed)
    count = FIELD.classes * FIELD.videos
    common, first, second = (size * rng.normal(size=count) for size in (0.3, own, own))
    _, videos = FIELD.draw(rng, 1000)
    drawn = FIELD.drawn(videos)
    noise = 0.2 * rng.normal(size=1000)
    ours, theirs = (
        base + (common + effects)[drawn.videos].mean(axis=1) + noise
        for base, effects in ((0.6 + gain, first), (0.6, second))
    )
    return ours[None], theirs[None], drawn


def test_without_videos_and_seeds_it_is_the_paired_t_test() -> None:
    ours, theirs = generator(0).random((2, 1, 50))
    found = paired_difference(ours, theirs)
    want = stats.ttest_rel(ours[0], theirs[0])
    assert found.p_value == pytest.approx(want.pvalue)
    assert found.interval.low == pytest.approx(want.confidence_interval().low)


def test_without_spread_over_episodes_it_is_welchs_test_of_the_seeds() -> None:
    ours, theirs = np.array([[0.61], [0.64], [0.60]]), np.array([[0.55], [0.56]])
    wide = np.ones((1, 40))
    found = paired_difference(ours * wide, theirs * wide)
    want = stats.ttest_ind(ours[:, 0], theirs[:, 0], equal_var=False)
    assert found.p_value == pytest.approx(want.pvalue)
    assert found.interval.high == pytest.approx(want.confidence_interval().high)
    assert "seeds" in found.interval.covers


def test_it_finds_one_point_that_the_unpaired_test_misses() -> None:
    paired, unpaired = [], []
    for seed in range(60):
        ours, theirs, drawn = two_methods(seed, gain=0.01)
        paired.append(paired_difference(ours, theirs, drawn).p_value < 0.05)
        unpaired.append(stats.ttest_ind(ours[0], theirs[0]).pvalue < 0.05)
    assert np.mean(paired) > 0.9
    assert np.mean(unpaired) < 0.3


def test_without_a_difference_it_finds_one_as_rarely_as_it_says() -> None:
    """Videos are hard for one method and easy for the other: only they make the difference."""
    over_videos, over_episodes, covered = [], [], []
    for seed in range(200):
        ours, theirs, drawn = two_methods(seed, gain=0.0, own=0.2)
        found = paired_difference(ours, theirs, drawn)
        over_videos.append(found.p_value < 0.05)
        over_episodes.append(paired_difference(ours, theirs).p_value < 0.05)
        covered.append(found.interval.low <= 0 <= found.interval.high)
    assert np.mean(over_videos) == pytest.approx(0.05, abs=0.04)
    assert np.mean(covered) == 1 - np.mean(over_videos)
    # Episodes share videos: taken as independent they find differences that are none.
    assert np.mean(over_episodes) > 0.12


def test_seeds_that_differ_make_it_less_sure() -> None:
    ours, theirs, drawn = two_methods(0, gain=0.02)
    once = paired_difference(ours, theirs, drawn)
    thrice = paired_difference(ours + np.array([[-0.02], [0.0], [0.02]]), theirs, drawn)
    assert thrice.interval.mean == pytest.approx(once.interval.mean)
    assert thrice.interval.half_width > once.interval.half_width
    assert "the first again" in thrice.interval.covers
    assert "trained once" in thrice.interval.leaves_out


def test_the_same_predictions_are_no_difference() -> None:
    ours, _, drawn = two_methods(0, gain=0.0)
    found = paired_difference(ours, ours.copy(), drawn)
    assert (found.interval.mean, found.p_value) == (0, 1)
    assert math.isnan(found.interval.half_width)
    assert "same difference" in found.interval.unavailable


def test_a_difference_that_never_varies_is_not_tested() -> None:
    """Eight equal episodes are no proof: it was an interval without width and p = 0."""
    found = paired_difference(np.full((1, 8), 0.75), np.full((1, 8), 0.5))
    assert found.interval.mean == 0.25
    assert math.isnan(found.p_value)
    assert "all 8 episodes have the same difference" in found.interval.unavailable


def test_one_episode_says_nothing() -> None:
    found = paired_difference(np.array([[0.5]]), np.array([[0.4]]))
    assert math.isnan(found.p_value)
    assert math.isnan(found.interval.low)


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


def test_the_pairs_interval_is_narrower_than_either() -> None:
    ours, theirs, _ = two_methods(0, gain=0.01)
    assert (
        paired_difference(ours, theirs).interval.half_width < mean_interval(ours[0]).half_width / 2
    )


def test_few_seeds_that_vary_most_do_not_find_differences_that_are_none() -> None:
    """Three seeds against a method without training: the sum's degrees of freedom made it 8 %."""
    found = []
    for seed in range(400):
        rng = generator(seed)
        episodes = 0.02 * rng.normal(size=(1, 40))
        seeds = 0.01 * rng.normal(size=(3, 1))
        ours, theirs = 0.6 + episodes + seeds, np.full((1, 40), 0.6)
        found.append(paired_difference(ours, theirs, trained=(True, False)).p_value)
    assert np.mean(np.array(found) < 0.05) < 0.065
    assert np.mean(np.array(found) < 0.0056) < 0.013


def test_one_training_on_a_side_is_said() -> None:
    ours, theirs, drawn = two_methods(0, gain=0.02)
    thrice = ours + np.array([[-0.02], [0.0], [0.02]])
    assert paired_difference(thrice, theirs, drawn).one_training
    assert paired_difference(ours, theirs, drawn).one_training
    assert not paired_difference(thrice, theirs + np.array([[0.0], [0.01]]), drawn).one_training
    # Where nothing is trained one run is all there is.
    untrained = paired_difference(thrice, theirs, drawn, trained=(True, False))
    assert not untrained.one_training
    assert "trained once" not in untrained.interval.leaves_out


@pytest.mark.parametrize(("freedom", "level"), [(2, 0.05), (4, 0.0056), (900, 0.05)])
def test_the_smallest_detectable_difference_is_that_of_the_noncentral_t(
    freedom: int, level: float
) -> None:
    found = smallest_detectable([Estimate(0.01, freedom)], level)
    critical, shift = stats.t.isf(level / 2, freedom), found / 0.1
    power = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
    assert power == pytest.approx(0.8, abs=1e-3)


def test_a_detectable_difference_is_found_in_four_tests_of_five() -> None:
    once = paired_difference(*two_methods(0, gain=0.0))
    gain = once.detectable(0.05)
    found = [paired_difference(*two_methods(s, gain=gain)).p_value < 0.05 for s in range(150)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_the_best_of_equal_rows_is_not_called_better() -> None:
    """The best is chosen by its mean: Holm's correction alone lets one in seven through."""
    rng, holms, corrected = generator(2), [], []
    for _ in range(600):
        means = np.sort(rng.normal(size=10))
        p_values = 2 * stats.norm.sf((means[-1] - means[:-1]) / math.sqrt(2))
        holms.append(holm(p_values).min() < 0.05)
        corrected.append(best_correction(p_values).min() < 0.05)
    assert np.mean(holms) > 0.09
    assert np.mean(corrected) == pytest.approx(0.05, abs=0.03)


def test_the_correction_for_the_best_is_that_of_the_studentized_range() -> None:
    want = stats.studentized_range.sf(math.sqrt(2) * stats.norm.isf(0.01 / 2), 6, 1e6)
    assert range_p_value(0.01, 6) == pytest.approx(want, rel=1e-4)
    assert range_p_value(best_level(0.05, 6), 6) == pytest.approx(0.05)
    assert best_correction([0.03]).tolist() == [0.03]
    assert best_correction([]).size == 0
    assert best_correction([0.2, math.nan])[0] >= 0.2
    assert range_p_value(1e-200, 10) < 1e-197
