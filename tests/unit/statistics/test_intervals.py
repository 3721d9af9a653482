import math

import numpy as np
import pytest
from scipy import stats

from fsarbench.statistics.intervals import mean_interval, seed_interval


def test_the_interval_agrees_with_the_t_test() -> None:
    """The t test has a p-value of 5 % at both ends of the interval."""
    values = [0.2, 0.6, 0.4, 0.8, 0.6]
    interval = mean_interval(values)
    for end in (interval.low, interval.high):
        assert stats.ttest_1samp(values, end).pvalue == pytest.approx(0.05)
    assert interval.mean == pytest.approx(0.52)
    assert interval.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert interval.n == 5


def test_the_interval_of_many_episodes_is_the_normal_interval() -> None:
    values = np.tile([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 2000)
    expected = stats.norm.ppf(0.975) * values.std(ddof=1) / math.sqrt(values.size)
    assert mean_interval(values).half_width == pytest.approx(expected, rel=1e-3)


def test_three_seeds_use_students_quantile() -> None:
    interval = seed_interval([56.92, 59.68, 56.70])
    assert interval.half_width == pytest.approx(
        4.302653 * np.std([56.92, 59.68, 56.70], ddof=1) / 3**0.5
    )
    assert "seeds" in interval.method


def test_a_higher_confidence_level_gives_a_wider_interval() -> None:
    values = [0.2, 0.6, 0.4, 0.4, 0.8]
    assert mean_interval(values, 0.99).half_width > mean_interval(values, 0.9).half_width


def test_the_coverage_is_the_confidence_level() -> None:
    draws = np.random.Generator(np.random.PCG64(0)).normal(0.5, 0.1, (1000, 20))
    intervals = [mean_interval(row, 0.9) for row in draws]
    coverage = np.mean([i.low <= 0.5 <= i.high for i in intervals])
    assert coverage == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0] * 600, "all 600 episodes have the same accuracy"),
        ([0.2] * 10, "all 10 episodes have the same accuracy"),
        ([0.8] + [1.0] * 599, "need 5,9"),
        ([0.2, 0.6, 0.4], "3 independent episodes, fewer than 5"),
        ([0.4], "1 independent episode, fewer"),
    ],
)
def test_no_interval_if_the_spread_is_unknown(values: list[float], reason: str) -> None:
    """An interval would have no width, or be much too narrow."""
    interval = mean_interval(values)
    assert reason in interval.unavailable
    assert interval.mean == pytest.approx(np.mean(values))
    assert math.isnan(interval.half_width)


def test_no_interval_over_equal_seeds() -> None:
    assert "same accuracy" in seed_interval([0.4, 0.4, 0.4]).unavailable
    assert seed_interval([0.4]).unavailable == "there is one training seed"
    assert not seed_interval([0.4, 0.5]).unavailable


def test_one_value_has_no_interval() -> None:
    interval = seed_interval([0.4])
    assert interval.mean == 0.4
    assert math.isnan(interval.half_width)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]]])
def test_other_shapes_are_rejected(values: list) -> None:
    with pytest.raises(ValueError, match="list of values"):
        mean_interval(np.array(values))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_invalid_confidence_levels_are_rejected(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([0.1, 0.2], confidence)
