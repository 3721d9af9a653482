"""Coverage of intervals and tests in a few of the simulations of `benchmarks/coverage.py`."""

import pytest

from benchmarks.coverage import INTERVALS, METHODS, TESTS, Tally, simulate
from benchmarks.latent import Population

TIMES = 120


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return simulate(Population(8, 20, 3), 1000, 1.0, TIMES)


@pytest.mark.parametrize("kind", [*INTERVALS, *TESTS])
def test_the_coverage_is_at_least_the_confidence_level(
    tallies: dict[str, Tally], kind: str
) -> None:
    covered = tallies[kind].covered
    assert len(covered) > TIMES / 2
    # Tolerance: four standard errors of the simulation.
    assert sum(covered) / len(covered) > 0.95 - 4 * (0.0475 / len(covered)) ** 0.5


def test_the_coverage_for_methods_is_too_low_with_one_training(tallies: dict[str, Tally]) -> None:
    """The reason for the mark "one training"."""
    methods, training = tallies[METHODS], tallies[TESTS[2]]
    assert sum(methods.covered) < sum(training.covered)


def test_no_interval_over_classes_if_every_episode_has_all_classes() -> None:
    tally = simulate(Population(5, 8, 5), 60, 1.0, 4)["classes"]
    assert not tally.covered
    assert list(tally.missing) == ["every episode holds all 5 test classes, so classes never vary"]


def test_intervals_of_ten_episodes_with_high_accuracy_rarely_miss_the_truth() -> None:
    """Many simulations have no interval; few of the others miss the truth."""
    tallies = simulate(Population(5, 6, 5), 10, 2.2, TIMES)
    for kind in INTERVALS:
        assert tallies[kind].missed <= 0.05 + 4 * (0.0475 / TIMES) ** 0.5
    assert tallies["episodes"].available < 0.8
