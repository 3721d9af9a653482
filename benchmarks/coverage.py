"""How often intervals cover the truth and tests reject a true null hypothesis, by simulation.

    python -m benchmarks.coverage

writes `benchmarks/results/coverage.md`: some minutes of CPU time.
"""

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.latent import (
    EFFECTS,
    Array,
    Episodes,
    Generator,
    Model,
    Population,
    make_model,
    new_videos,
    over_classes,
    over_videos,
)
from fsarbench.runtime.atomic_files import write_text
from fsarbench.statistics.intervals import Interval, mean_interval, seed_interval
from fsarbench.statistics.paired import best_correction, holm, paired_difference
from fsarbench.statistics.video_intervals import class_interval, disjoint_interval, video_interval

POPULATIONS = (
    Population(24, 40, 5),
    Population(24, 3, 5),
    Population(5, 20, 5),
    Population(5, 6, 5),
    Population(24, 40, 24),
    Population(24, 3, 24),
)
REPLICATIONS = {10: 400, 600: 200, 10_000: 80}
MEANS = {"0.77": 1.0, "0.94": 2.2}
TRAININGS = 3
INTERVALS = ("episodes", "videos", "classes", "disjoint", "seeds", "pooled")
TESTS = (
    "1 seed against 1: these trainings",
    "3 seeds against 3",
    "3 seeds against 1: this training",
)
METHODS = "3 seeds against 1, if misread as methods"


@dataclass
class Tally:
    """Counts of one type of interval.

    Attributes:
        covered: Of each available interval, whether it covers the truth.
        missing: How many were not available, by reason.
    """

    covered: list[bool] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, interval: Interval, truth: float) -> None:
        """Count an interval."""
        if interval.unavailable:
            self.missing[interval.unavailable] += 1
        else:
            self.covered.append(interval.low <= truth <= interval.high)

    @property
    def available(self) -> float:
        """The share of simulations with an interval."""
        return len(self.covered) / (len(self.covered) + sum(self.missing.values()))

    @property
    def missed(self) -> float:
        """The share of simulations with an interval that misses the truth."""
        return self.available * (1 - float(np.mean(self.covered))) if self.covered else 0.0

    @property
    def cell(self) -> str:
        """Coverage in percent, and the share of simulations with an interval if not all."""
        if not self.covered:
            return "n/a"
        share = f"{100 * np.mean(self.covered):.1f}"
        return share if not self.missing else f"{share} (of {100 * self.available:.0f})"


Tallies = dict[str, Tally]


def simulate(population: Population, count: int, mean: float, replications: int) -> Tallies:
    """Count every interval and paired test on one kind of test.

    Args:
        population: Classes, videos and way.
        count: Episodes of a test.
        mean: The mean margin of an answer.
        replications: How many tests.
    """
    rng = np.random.default_rng([population.classes, population.videos, population.way, count])
    pool = population.episodes(max(count, 6000 if population.way < 20 else 2500))
    contexts = [Context(rng, population, mean, pool) for _ in range(8)]
    tallies: Tallies = defaultdict(Tally)
    for number in range(replications):
        start = number * count % (len(pool) - count + 1)
        episodes = pool[start : start + count]
        context = contexts[number % len(contexts)]
        for measure in (intervals, seeds, tests):
            for name, interval, truth in measure(rng, context, episodes):
                tallies[name].add(interval, truth)
        again = pool[rng.integers(len(pool), size=count)]
        interval = mean_interval(context.fixed.accuracies(again, rng))
        tallies["episodes"].add(interval, context.over_episodes)
    return tallies


class Context:
    """Classes and trainings that stay the same while videos and episodes are redrawn.

    Args:
        rng: The source of chance.
        population: Classes, videos and way.
        mean: The mean margin of an answer.
        pool: Episodes that tests are drawn from.
    """

    def __init__(self, rng: Generator, population: Population, mean: float, pool: Episodes) -> None:
        self.population = population
        self.fixed = make_model(rng, population, mean)
        self.trainings = [self.fixed.trained(rng) for _ in range(TRAININGS)]
        self.over_episodes = self.fixed.expected(pool)
        self.over_videos = over_videos(self.fixed, population)
        each = [over_videos(m, population, EFFECTS.seed_video) for m in self.trainings]
        self.pooled = float(np.mean(each))


Found = Iterator[tuple[str, Interval, float]]


def intervals(rng: Generator, context: Context, episodes: Episodes) -> Found:
    """Intervals of one trained model."""
    population = context.population
    drawn = population.drawn(episodes)
    found = new_videos(rng, context.fixed).accuracies(episodes, rng)
    yield "videos", video_interval(found, drawn), context.over_videos
    yield "disjoint", disjoint_interval(found, drawn), context.over_videos
    mean = context.fixed.mean
    found = make_model(rng, population, mean).accuracies(episodes, rng)
    interval = class_interval(found, episodes.classes, population.classes)
    yield "classes", interval, over_classes(mean, population)


def seeds(rng: Generator, context: Context, episodes: Episodes) -> Found:
    """Intervals of several trainings of one method."""
    model = new_videos(rng, context.fixed)
    means = [model.trained(rng).accuracies(episodes, rng).mean() for _ in range(TRAININGS)]
    spread = np.sqrt(EFFECTS.seed**2 + EFFECTS.seed_class**2 + EFFECTS.seed_video**2)
    yield "seeds", seed_interval(means), model.expected(episodes, float(spread))
    # The trainings stay; videos are new, and with them what each training does on them.
    trained = [
        Model(m.mean, m.own, m.rival, model.query, model.support).on_videos(rng, EFFECTS.seed_video)
        for m in context.trainings
    ]
    averaged = np.mean([m.accuracies(episodes, rng) for m in trained], axis=0)
    drawn = context.population.drawn(episodes)
    yield "pooled", video_interval(averaged, drawn), context.pooled


def tests(rng: Generator, context: Context, episodes: Episodes) -> Found:
    """Paired tests of two methods that are equal in truth; an interval without 0 rejects this."""
    drawn = context.population.drawn(episodes)
    shared = new_videos(rng, context.fixed)
    methods = [shared.on_videos(rng, EFFECTS.method) for _ in range(2)]
    once = [method.accuracies(episodes, rng)[None] for method in methods]
    yield TESTS[0], paired_difference(*once, drawn).interval, 0.0
    trainings = [[method.trained(rng) for _ in range(TRAININGS)] for method in methods]
    ours, theirs = (
        np.stack([model.accuracies(episodes, rng) for model in models]) for models in trainings
    )
    yield TESTS[1], paired_difference(ours, theirs, drawn).interval, 0.0
    found = paired_difference(ours, theirs[:1], drawn).interval
    # The one training stays as it is; the other method would be trained again.
    method = float(np.sqrt(EFFECTS.method**2 + EFFECTS.seed_video**2))
    seeds_too = float(np.sqrt(method**2 + EFFECTS.seed**2 + EFFECTS.seed_class**2))
    population = context.population
    truth = over_videos(shared, population, seeds_too)
    yield TESTS[2], found, truth - over_videos(trainings[1][0], population, method)
    yield METHODS, found, 0.0


def best_of(rows: int, correct: Callable[[Array], Array], replications: int = 4000) -> float:
    """How often a row is called worse than the best of equal rows, at the 5 % level.

    The p-value of the second test is that of means whose variance is known.
    """
    rng = np.random.default_rng(rows)
    false = 0
    for _ in range(replications):
        means = rng.normal(size=rows)
        others = np.delete(means, means.argmax())
        p_values = 2 * stats.norm.sf((means.max() - others) / np.sqrt(2))
        false += bool((correct(p_values) < 0.05).any())
    return false / replications


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, words on the left and numbers on the right."""
    aligned = ["---", "---:", *("---:" for _ in heads[2:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, aligned, *rows))


def page(found: dict[tuple[str, int, str], Tallies], sizes: dict[int, int], seconds: float) -> str:
    """The results as Markdown, with their conditions."""
    rows = {
        title: [
            [f"{name}, accuracy {mean}", f"{count:,}", *(tallies[kind].cell for kind in kinds)]
            for (name, count, mean), tallies in found.items()
        ]
        for title, kinds in (("intervals", INTERVALS), ("tests", (*TESTS, METHODS)))
    }
    every = [r for t in found.values() for tally in t.values() for r in tally.missing]
    reasons = sorted({re.sub(r"[\d,]*\d", "N", reason) for reason in every})
    best = [
        [str(k), *(f"{100 * best_of(k, correct):.1f}" for correct in (holm, best_correction))]
        for k in (2, 5, 10)
    ]
    heads = ("test classes x videos", "episodes")
    drawn = ", ".join(f"{n} tests of {count:,} episodes" for count, n in sizes.items())
    worst = max(
        (tally.missed, kind, key)
        for key, tallies in found.items()
        for kind, tally in tallies.items()
        if kind != METHODS
    )
    spreads = ", ".join(f"{key} {value}" for key, value in asdict(EFFECTS).items())
    return "\n\n".join(
        [
            "<!-- Written by `python -m benchmarks.coverage`. -->",
            f"Per line {drawn}; 1 shot, 1 query per class, {TRAININGS} training seeds. Standard "
            f"deviations of the effects, in units of the noise of an answer: {spreads}. A coverage "
            f"of 95 % is estimated with a standard error of "
            f"{', '.join(f'{100 * np.sqrt(0.0475 / n):.1f}' for n in sizes.values())} points. "
            f"`python -m benchmarks.coverage`, {seconds / 60:.0f} minutes of CPU time.",
            "**95 % intervals: how often they cover the truth (%).** In parentheses the share of "
            "tests (%) that have an interval, where not all do.",
            table((*heads, *INTERVALS), rows["intervals"]),
            "**Paired comparisons of two methods that are equal in truth: how often the 95 % "
            "interval of the difference covers the true one (%)**; 100 less this is how often the "
            "test at 5 % rejects. The last column shows why a single training on one side says "
            "nothing about methods: its intervals cover the difference of methods too rarely, so "
            "fsarbench states them for this one training only.",
            table((*heads, *TESTS, METHODS), rows["tests"]),
            f"The share of tests with an interval that misses the truth is {100 * worst[0]:.1f} % "
            f"at the most ({worst[1]}; {worst[2][0]}, {worst[2][1]:,} episodes), the last column "
            "left out.",
            "**Rows that are equal in truth: how often some row is called worse than the best "
            "(%).**",
            table(("rows", "Holm", "corrected for choosing the best"), best),
            "Reasons for which there is no interval:",
            "\n".join(f"- {reason}" for reason in reasons),
        ]
    )


def timed(population: Population, count: int, mean: float, number: int) -> tuple[Tallies, float]:
    """The tallies of `simulate`, and the CPU seconds that they took."""
    start = time.process_time()
    return simulate(population, count, mean, number), time.process_time() - start


def main() -> None:
    """Simulate everything and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parent / "results" / "coverage.md"
    parser.add_argument("--out", type=Path, default=default, help="the file to write")
    parser.add_argument("--share", type=float, default=1.0, help="of the replications")
    parser.add_argument("--processes", type=int, default=2, help="to run at the same time")
    options = parser.parse_args()
    sizes = {count: max(8, int(n * options.share)) for count, n in REPLICATIONS.items()}
    keys = [(p, count, mean) for mean in MEANS for p in POPULATIONS for count in sizes]
    seconds, found = 0.0, {}
    with ProcessPoolExecutor(options.processes) as pool:
        jobs = [pool.submit(timed, p, count, MEANS[mean], sizes[count]) for p, count, mean in keys]
        for (population, count, mean), job in zip(keys, jobs, strict=True):
            tallies, spent = job.result()
            seconds += spent
            found[population.name, count, mean] = tallies
            cells = {kind: tally.cell for kind, tally in tallies.items()}
            print(population.name, count, mean, f"{spent:.0f} s", cells, flush=True)
    write_text(options.out, page(found, sizes, seconds) + "\n")


if __name__ == "__main__":
    main()
