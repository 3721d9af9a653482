"""Testing: the accuracy of a model on seeded episodes of one split."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from fsarbench.data.episodes import EpisodeSampler
from fsarbench.data.loader import EpisodeDataset, EpisodeOrder, episode_loader
from fsarbench.engine.batch import to_episode
from fsarbench.engine.bench import Bench
from fsarbench.engine.clock import Clock
from fsarbench.engine.features import Cache, encode_split
from fsarbench.engine.matching import match_episodes
from fsarbench.engine.plan import Plan, plan_episodes
from fsarbench.engine.route import Route, choose_route
from fsarbench.engine.settings import EvaluateSettings, processes
from fsarbench.engine.texts import text_bank
from fsarbench.interfaces import Split, SplitName
from fsarbench.model import FewShotModel
from fsarbench.progress import Bars


@dataclass(frozen=True)
class Evaluation:
    """What came out of testing.

    Attributes:
        scores: The score of every query for every class of its episode.
        labels: The index in the episode of each query's class.
        classes: The classes of each episode, as indices into the split.
        support: The support videos of each episode, as indices into the split.
        query: The query videos, likewise.
        route: Whether features were cached, and why.
        encode_seconds: Decoding and encoding; on the route without a cache, everything.
        match_seconds: Prototypes and matching on cached features.
    """

    scores: Float32[np.ndarray, "episodes Q N"]
    labels: Int64[np.ndarray, "episodes Q"]
    classes: Int64[np.ndarray, "episodes N"]
    support: Int64[np.ndarray, "episodes N K"]
    query: Int64[np.ndarray, "episodes Q"]
    route: Route
    encode_seconds: float
    match_seconds: float

    @property
    def predictions(self) -> Int64[np.ndarray, "episodes Q"]:
        """The class with the largest score; of equal ones the first."""
        return self.scores.argmax(axis=-1).astype(np.int64)

    @property
    def accuracies(self) -> Float64[np.ndarray, " episodes"]:
        """The share of each episode's queries that were predicted right."""
        return (self.predictions == self.labels).mean(axis=1, dtype=np.float64)

    @property
    def accuracy(self) -> float:
        """The mean over episodes, 0 to 1."""
        return float(self.accuracies.mean())


def evaluate(
    model: FewShotModel,
    bench: Bench,
    name: SplitName,
    settings: EvaluateSettings,
    episodes: int | None = None,
    bars: Bars | None = None,
) -> Evaluation:
    """Tests a model on the first episodes of a split.

    The numbers do not depend on the route, nor on `batch_size`, `chunk` and `workers`, beyond what
    floating-point sums in another order give.

    Args:
        model: The model, on the bench's device; its mode is put back afterwards.
        bench: Videos, clips and episodes.
        name: The split; `val` selects, `test` reports.
        settings: How testing is run.
        episodes: How many; None for `settings.episodes`.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: The split cannot fill an episode, a video cannot be read, or the settings ask for
            a cache that the parts forbid.
    """
    split = bench.splits[name]
    route = choose_route(model, bench.clips, settings.cache)
    sampler = EpisodeSampler(split, bench.episodes, settings.seed)
    plan = plan_episodes(sampler, episodes or settings.episodes)
    bars = bars or Bars(quiet=True)
    with _evaluating(model):
        text = text_bank(model, split)
        run = _cached if route.cached else _anew
        scores, encode, match = run(model, bench, split, settings, plan, text, bars)
    array = scores.float().cpu().numpy()
    drawn = (plan.labels, plan.classes, plan.support, plan.query)
    return Evaluation(array, *drawn, route, encode, match)


Outputs = tuple[Float[Tensor, "episodes Q N"], float, float]


def _cached(
    model: FewShotModel,
    bench: Bench,
    split: Split,
    settings: EvaluateSettings,
    plan: Plan,
    text: Float[Tensor, "M E"] | None,
    bars: Bars,
) -> Outputs:
    cache = Cache(model, split, plan, text)
    encode, match = Clock(bench.device), Clock(bench.device)
    with encode, bars.task(f"encode {split.name}", len(cache.videos)) as bar:
        features = encode_split(model, bench, cache, split, settings, bar)
    with match, bars.task(f"match {split.name}", len(plan)) as bar:
        scores = match_episodes(model, features, plan, text, settings.chunk, bar)
    return scores, encode.seconds, match.seconds


def _anew(
    model: FewShotModel,
    bench: Bench,
    split: Split,
    settings: EvaluateSettings,
    plan: Plan,
    text: Float[Tensor, "M E"] | None,
    bars: Bars,
) -> Outputs:
    sampler = EpisodeSampler(split, bench.episodes, settings.seed)
    data = EpisodeDataset(split, sampler, bench.reader, bench.clips, augment=False)
    loader = episode_loader(data, EpisodeOrder(0, len(plan)), processes(settings.workers))
    clock, scores = Clock(bench.device), []
    with clock, bars.task(f"test on {split.name}", len(plan)) as bar:
        for batch in loader:
            episode = to_episode(batch, split, text, bench.device)
            scores.append(model.scores(model(episode)))
            bar.advance()
        stacked = torch.stack(scores)
    return stacked, clock.seconds, 0.0


@contextmanager
def _evaluating(model: FewShotModel) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
