"""A small part of `benchmarks/coverage.py`: each interval and paired test against its truth."""

import pytest

from benchmarks.coverage import INTERVALS, METHODS, TESTS, Tally, simulate
from benchmarks.latent import Population

TIMES = 120


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return simulate(Population(8, 20, 3), 1000, 1.0, TIMES)


@pytest.mark.parametrize("kind", [*INTERVALS, *TESTS])
def test_an_interval_covers_its_truth_as_often_as_it_says(
    tallies: dict[str, Tally], kind: str
) -> None:
    found = tallies[kind]
    assert len(found.covered) > TIMES / 2
    # Four standard errors of the simulation below 95 %.
    assert sum(found.covered) / len(found.covered) > 0.95 - 4 * (0.0475 / len(found.covered)) ** 0.5


def test_one_training_says_nothing_of_its_method(tallies: dict[str, Tally]) -> None:
    """What the mark "one training" is for: as a comparison of methods it covers too rarely."""
    methods, training = tallies[METHODS], tallies[TESTS[2]]
    assert sum(methods.covered) < sum(training.covered)


def test_where_every_episode_holds_every_class_there_is_none_over_classes() -> None:
    found = simulate(Population(5, 8, 5), 60, 1.0, 4)["classes"]
    assert not found.covered
    assert list(found.missing) == ["every episode holds all 5 test classes, so classes never vary"]


def test_ten_episodes_miss_the_truth_no_more_often_than_they_say() -> None:
    """An accuracy near 1: many have no interval, and few of the others miss."""
    found = simulate(Population(5, 6, 5), 10, 2.2, TIMES)
    for kind in INTERVALS:
        assert found[kind].missed <= 0.05 + 4 * (0.0475 / TIMES) ** 0.5
    assert found["episodes"].available < 0.8
