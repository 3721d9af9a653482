"""Testing: the accuracy of a model on seeded episodes of one split."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from fsarbench.data.data_module import Bench
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset, episode_loader, to_episode
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import Route, choose_route
from fsarbench.evaluation.disk_cache import Keep, Shelf, Store
from fsarbench.evaluation.episode_arrays import Evaluation, Plan, plan_episodes
from fsarbench.evaluation.feature_cache import Cache, Features, encode_split, text_bank
from fsarbench.evaluation.matching import match_episodes, prepare
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import require_finite
from fsarbench.runtime.progress import Bar, Bars
from fsarbench.runtime.timer import Clock
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.video import Split, SplitName

Output = tuple[Float[Tensor, "episodes Q N"], float, float]

# Episodes of one file of a store: what a test that is killed may lose.
SHARD = 25


@dataclass(frozen=True)
class Trial:
    """What is tested on what.

    Attributes:
        model: In evaluation mode.
        bench: Videos and clips.
        split: The split.
        settings: How testing is run.
        text: The text features of the split's classes.
        bars: Where progress is shown.
        keep: Where finished parts are kept; None keeps none.
    """

    model: FewShotModel
    bench: Bench
    split: Split
    settings: EvaluateSettings
    text: Float[Tensor, "M E"] | None
    bars: Bars
    keep: Keep | None = None

    @property
    def labels(self) -> Int64[np.ndarray, " V"]:
        """The class of each video of the split."""
        return np.array([video.label for video in self.split.videos], dtype=np.int64)

    def cached(self, plans: Sequence[Plan]) -> Iterator[Output]:
        """Scores with the seconds of encoding and of matching, every video encoded once."""
        clock = Clock(self.bench.device)
        with clock:
            features = self._encode(plans)
        match = Clock(self.bench.device)
        with match:
            prepared = prepare(self.model, features, plans, self.labels, self.text)
        for number, plan in enumerate(plans):
            with (
                match,
                self.bars.task(f"match {self.split.name}", distributed.part(len(plan))) as bar,
            ):
                chunk = self.settings.chunk
                scores = match_episodes(self.model, features, plan, self.text, chunk, bar, prepared)
            require_finite(scores, f"The scores of the {self.split.name} episodes")
            yield scores, 0.0 if number else clock.seconds, match.seconds
            match = Clock(self.bench.device)

    def anew(self, plans: Sequence[Plan], tasks: Sequence[EpisodeSettings]) -> Iterator[Output]:
        """The same, every episode encoded anew; all seconds are those of encoding."""
        store = None
        if self.keep is not None:
            store = self.keep.score_store(self.model, self.bench, self.split)
        for plan, task in zip(plans, tasks, strict=True):
            clock = Clock(self.bench.device)
            mine = distributed.part(len(plan))
            with clock, self.bars.task(f"test on {self.split.name}", mine) as bar:
                scores = self._score(len(plan), task, store, bar)
            yield scores, clock.seconds, 0.0

    def _encode(self, plans: Sequence[Plan]) -> Features:
        cache = Cache(self.model, self.split, plans, self.text)
        if self.keep is not None:
            store = self.keep.feature_store(self.model, self.bench)
            cache.keep(store, self.bench.reader, self.bench.device)
        with self.bars.task(
            f"encode {self.split.name}", distributed.part(len(cache.videos))
        ) as bar:
            return encode_split(self.model, self.bench, cache, self.split, self.settings, bar)

    def _score(
        self, episodes: int, task: EpisodeSettings, store: Store | None, bar: Bar
    ) -> Float[Tensor, "episodes Q N"]:
        names = [f"{task} {number}" for number in range(episodes)]
        found = {} if store is None else store.read(names)
        bar.advance(distributed.part(len(found)))
        missing = [number for number in range(episodes) if number not in found]
        fresh, shelf = {}, Shelf(store, SHARD)
        for number, scores in self._fresh(distributed.share(missing), task):
            fresh[number] = scores
            shelf.add([names[number]], [scores])
            bar.advance()
        shelf.close()
        found |= distributed.gather(fresh)
        return torch.stack([found[number].cpu() for number in range(episodes)])

    def _fresh(
        self, numbers: Sequence[int], task: EpisodeSettings
    ) -> Iterator[tuple[int, Float[Tensor, "Q N"]]]:
        bench, split = self.bench, self.split
        sampler = EpisodeSampler(split, task, self.settings.seed)
        data = EpisodeDataset(split, sampler, bench.reader, bench.clips, augment=False)
        loader = episode_loader(data, numbers, processes(self.settings.workers))
        for number, batch in zip(numbers, loader, strict=True):
            episode = to_episode(batch, split, self.text, bench.device)
            scores = self.model.scores(self.model(episode))
            require_finite(scores, f"The scores of {split.name} episode {number}")
            yield number, scores


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
        bench: Videos, clips and the kind of episode.
        name: The split; `val` selects, `test` reports.
        settings: How testing is run.
        episodes: How many; None for `settings.episodes`.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: The split cannot fill an episode, a video cannot be read, or the settings ask for
            a cache that the parts forbid.
    """
    counted = replace(settings, episodes=episodes or settings.episodes, shots=(), ways=())
    return evaluate_all(model, bench, name, counted, bars)[0]


def evaluate_all(
    model: FewShotModel,
    bench: Bench,
    name: SplitName,
    settings: EvaluateSettings,
    bars: Bars | None = None,
    keep: Keep | None = None,
) -> tuple[Evaluation, ...]:
    """Tests a model on every kind of episode that the settings ask for, the bench's own first.

    Where features are cached, each video is encoded once for all of them.

    Args:
        model: As for `evaluate`.
        bench: As for `evaluate`.
        name: As for `evaluate`.
        settings: How testing is run; `shots` and `ways` add kinds of episodes.
        bars: Where progress is shown; None shows none.
        keep: Where finished parts are kept and looked for; None keeps none.

    Raises:
        UserError: As `evaluate`.
    """
    split = bench.splits[name]
    route = choose_route(model, bench.clips, settings.cache)
    tasks = settings.tasks(bench.episodes)
    plans = [plan_episodes(s, settings.episodes) for s in samplers(bench, name, settings)]
    with _evaluating(model):
        text = text_bank(model, split)
        trial = Trial(model, bench, split, settings, text, bars or Bars(quiet=True), keep)
        outputs = list(trial.cached(plans) if route.cached else trial.anew(plans, tasks))
    found = zip(tasks, plans, outputs, strict=True)
    return tuple(_evaluation(task, plan, output, route) for task, plan, output in found)


def samplers(bench: Bench, name: SplitName, settings: EvaluateSettings) -> list[EpisodeSampler]:
    """Who draws the episodes of each kind that the settings ask for.

    Raises:
        UserError: The split cannot fill an episode of one kind; cheap to find out before training.
    """
    own, *others = settings.tasks(bench.episodes)
    found = [EpisodeSampler(bench.splits[name], own, settings.seed)]
    try:
        found += [EpisodeSampler(bench.splits[name], task, settings.seed) for task in others]
    except UserError as error:
        raise UserError(f"evaluate.shots and evaluate.ways ask for too much. {error}") from None
    return found


def _evaluation(task: EpisodeSettings, plan: Plan, output: Output, route: Route) -> Evaluation:
    scores, encode, match = output
    drawn = (plan.labels, plan.classes, plan.support, plan.query)
    return Evaluation(task, scores.float().cpu().numpy(), *drawn, route, encode, match)


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
