import math

import numpy as np
import pytest
from scipy import stats

from fsarbench.paired import holm, paired_difference
from fsarbench.statistics import mean_interval
from tests.unit.simulated import Field, generator

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
    assert (found.interval.mean, found.interval.half_width, found.p_value) == (0, 0, 1)


def test_a_difference_that_never_varies_is_certain() -> None:
    found = paired_difference(np.full((1, 8), 0.75), np.full((1, 8), 0.5))
    assert (found.interval.low, found.interval.high, found.p_value) == (0.25, 0.25, 0)


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
