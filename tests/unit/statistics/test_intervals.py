import math

import numpy as np
import pytest
from scipy import stats

from fsarbench.statistics.intervals import mean_interval, seed_interval


def test_interval_is_the_t_tests() -> None:
    """The ends are the means that a two-sided t test at 5 % only just accepts."""
    values = [0.2, 0.6, 0.4, 0.8, 0.6]
    interval = mean_interval(values)
    for end in (interval.low, interval.high):
        assert stats.ttest_1samp(values, end).pvalue == pytest.approx(0.05)
    assert interval.mean == pytest.approx(0.52)
    assert interval.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert interval.n == 5


def test_many_episodes_come_to_the_normal_interval() -> None:
    values = np.tile([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 2000)
    want = stats.norm.ppf(0.975) * values.std(ddof=1) / math.sqrt(values.size)
    assert mean_interval(values).half_width == pytest.approx(want, rel=1e-3)


def test_three_seeds_use_students_quantile() -> None:
    interval = seed_interval([56.92, 59.68, 56.70])
    assert interval.half_width == pytest.approx(
        4.302653 * np.std([56.92, 59.68, 56.70], ddof=1) / 3**0.5
    )
    assert "seeds" in interval.method


def test_more_confidence_is_wider() -> None:
    values = [0.2, 0.6, 0.4, 0.4, 0.8]
    assert mean_interval(values, 0.99).half_width > mean_interval(values, 0.9).half_width


def test_it_covers_the_true_mean_as_often_as_it_says() -> None:
    draws = np.random.Generator(np.random.PCG64(0)).normal(0.5, 0.1, (1000, 20))
    intervals = [mean_interval(row, 0.9) for row in draws]
    share = np.mean([i.low <= 0.5 <= i.high for i in intervals])
    assert share == pytest.approx(0.9, abs=0.02)


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
def test_no_interval_where_the_spread_is_not_known(values: list[float], reason: str) -> None:
    """It had no width, or was far too narrow: 20.00 % ± 0.00."""
    interval = mean_interval(values)
    assert reason in interval.unavailable
    assert interval.mean == pytest.approx(np.mean(values))
    assert math.isnan(interval.half_width)


def test_seeds_that_agree_say_nothing_of_others() -> None:
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
def test_refuses_what_is_no_list_of_values(values: list) -> None:
    with pytest.raises(ValueError, match="list of values"):
        mean_interval(np.array(values))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_refuses_a_confidence_that_is_no_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([0.1, 0.2], confidence)
