"""Testing: the accuracy of a model on seeded episodes of one split."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.data.episodes import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset, EpisodeOrder, episode_loader
from fsarbench.engine.batch import to_episode
from fsarbench.engine.bench import Bench
from fsarbench.engine.clock import Clock
from fsarbench.engine.evaluation import Evaluation
from fsarbench.engine.features import Cache, encode_split
from fsarbench.engine.matching import match_episodes
from fsarbench.engine.plan import Plan, plan_episodes
from fsarbench.engine.route import choose_route
from fsarbench.engine.settings import EvaluateSettings, processes
from fsarbench.engine.texts import text_bank
from fsarbench.errors import UserError
from fsarbench.interfaces import Split, SplitName
from fsarbench.model import FewShotModel
from fsarbench.progress import Bars


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
) -> tuple[Evaluation, ...]:
    """Tests a model on every kind of episode that the settings ask for, the bench's own first.

    Where features are cached, each video is encoded once for all of them.

    Args:
        model: As for `evaluate`.
        bench: As for `evaluate`.
        name: As for `evaluate`.
        settings: How testing is run; `shots` and `ways` add kinds of episodes.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: As `evaluate`.
    """
    split = bench.splits[name]
    route = choose_route(model, bench.clips, settings.cache)
    tasks = settings.tasks(bench.episodes)
    plans = [plan_episodes(s, settings.episodes) for s in samplers(bench, name, settings)]
    with _evaluating(model):
        text = text_bank(model, split)
        test = _Test(model, bench, split, settings, text, bars or Bars(quiet=True))
        outputs = list(test.cached(plans) if route.cached else test.anew(plans, tasks))
    return tuple(
        Evaluation(
            task,
            scores.float().cpu().numpy(),
            *(plan.labels, plan.classes, plan.support, plan.query),
            route,
            encode,
            match,
        )
        for task, plan, (scores, encode, match) in zip(tasks, plans, outputs, strict=True)
    )


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


Output = tuple[Float[Tensor, "episodes Q N"], float, float]


@dataclass(frozen=True)
class _Test:
    model: FewShotModel
    bench: Bench
    split: Split
    settings: EvaluateSettings
    text: Float[Tensor, "M E"] | None
    bars: Bars

    def cached(self, plans: Sequence[Plan]) -> Iterator[Output]:
        cache = Cache(self.model, self.split, plans, self.text)
        encode = Clock(self.bench.device)
        with encode, self.bars.task(f"encode {self.split.name}", len(cache.videos)) as bar:
            features = encode_split(self.model, self.bench, cache, self.split, self.settings, bar)
        for number, plan in enumerate(plans):
            match = Clock(self.bench.device)
            with match, self.bars.task(f"match {self.split.name}", len(plan)) as bar:
                chunk = self.settings.chunk
                scores = match_episodes(self.model, features, plan, self.text, chunk, bar)
            yield scores, 0.0 if number else encode.seconds, match.seconds

    def anew(self, plans: Sequence[Plan], tasks: Sequence[EpisodeSettings]) -> Iterator[Output]:
        for plan, task in zip(plans, tasks, strict=True):
            yield self._anew(len(plan), task)

    def _anew(self, episodes: int, task: EpisodeSettings) -> Output:
        bench, split = self.bench, self.split
        sampler = EpisodeSampler(split, task, self.settings.seed)
        data = EpisodeDataset(split, sampler, bench.reader, bench.clips, augment=False)
        loader = episode_loader(data, EpisodeOrder(0, episodes), processes(self.settings.workers))
        clock, scores = Clock(bench.device), []
        with clock, self.bars.task(f"test on {split.name}", episodes) as bar:
            for batch in loader:
                episode = to_episode(batch, split, self.text, bench.device)
                scores.append(self.model.scores(self.model(episode)))
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
