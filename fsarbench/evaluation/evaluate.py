"""Testing: the accuracy of a model on seeded episodes of one split."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset, episode_loader, to_episode
from fsarbench.errors import UserError
from fsarbench.evaluation.cache_policy import CachePolicy, choose_cache_policy
from fsarbench.evaluation.disk_cache import CacheFolders, DiskCache, ShardWriter
from fsarbench.evaluation.episode_arrays import EpisodeArrays, Evaluation, draw_episode_arrays
from fsarbench.evaluation.feature_cache import Cache, Features, encode_split, text_bank
from fsarbench.evaluation.matching import compute_per_video, match_episodes
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import require_finite
from fsarbench.runtime.progress import ProgressBar, ProgressBars
from fsarbench.runtime.timer import Timer
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.video import Split, SplitName

Output = tuple[Float[Tensor, "episodes Q N"], float, float]

# Episodes of one file of a store: what a test that is killed may lose.
SHARD = 25


@dataclass(frozen=True)
class Evaluator:
    """What is tested on what.

    Attributes:
        model: In evaluation mode.
        data_module: Videos and clips.
        split: The split.
        settings: How testing is run.
        text: The text features of the split's classes.
        bars: Where progress is shown.
        keep: Where finished parts are kept; None keeps none.
    """

    model: FewShotModel
    data_module: DataModule
    split: Split
    settings: EvaluateSettings
    text: Float[Tensor, "M E"] | None
    bars: ProgressBars
    keep: CacheFolders | None = None

    @property
    def labels(self) -> Int64[np.ndarray, " V"]:
        """The class of each video of the split."""
        return np.array([video.label for video in self.split.videos], dtype=np.int64)

    def cached(self, plans: Sequence[EpisodeArrays]) -> Iterator[Output]:
        """Scores with the seconds of encoding and of matching, every video encoded once."""
        clock = Timer(self.data_module.device)
        with clock:
            features = self._encode(plans)
        match = Timer(self.data_module.device)
        with match:
            prepared = compute_per_video(self.model, features, plans, self.labels, self.text)
        for number, plan in enumerate(plans):
            with (
                match,
                self.bars.task(f"match {self.split.name}", distributed.part(len(plan))) as bar,
            ):
                chunk = self.settings.chunk
                scores = match_episodes(self.model, features, plan, self.text, chunk, bar, prepared)
            require_finite(scores, f"The scores of the {self.split.name} episodes")
            yield scores, 0.0 if number else clock.seconds, match.seconds
            match = Timer(self.data_module.device)

    def anew(
        self, plans: Sequence[EpisodeArrays], tasks: Sequence[EpisodeSettings]
    ) -> Iterator[Output]:
        """The same, every episode encoded anew; all seconds are those of encoding."""
        store = None
        if self.keep is not None:
            store = self.keep.score_store(self.model, self.data_module, self.split)
        for plan, task in zip(plans, tasks, strict=True):
            clock = Timer(self.data_module.device)
            mine = distributed.part(len(plan))
            with clock, self.bars.task(f"test on {self.split.name}", mine) as bar:
                scores = self._score(len(plan), task, store, bar)
            yield scores, clock.seconds, 0.0

    def _encode(self, plans: Sequence[EpisodeArrays]) -> Features:
        cache = Cache(self.model, self.split, plans, self.text)
        if self.keep is not None:
            store = self.keep.feature_store(self.model, self.data_module)
            cache.keep(store, self.data_module.reader, self.data_module.device)
        with self.bars.task(
            f"encode {self.split.name}", distributed.part(len(cache.videos))
        ) as bar:
            return encode_split(self.model, self.data_module, cache, self.split, self.settings, bar)

    def _score(
        self, episodes: int, task: EpisodeSettings, store: DiskCache | None, bar: ProgressBar
    ) -> Float[Tensor, "episodes Q N"]:
        names = [f"{task} {number}" for number in range(episodes)]
        found = {} if store is None else store.read(names)
        bar.advance(distributed.part(len(found)))
        missing = [number for number in range(episodes) if number not in found]
        fresh, shelf = {}, ShardWriter(store, SHARD)
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
        data_module, split = self.data_module, self.split
        sampler = EpisodeSampler(split, task, self.settings.seed)
        data = EpisodeDataset(split, sampler, data_module.reader, data_module.clips, augment=False)
        loader = episode_loader(data, numbers, processes(self.settings.workers))
        for number, batch in zip(numbers, loader, strict=True):
            episode = to_episode(batch, split, self.text, data_module.device)
            scores = self.model.scores(self.model(episode))
            require_finite(scores, f"The scores of {split.name} episode {number}")
            yield number, scores


def evaluate(
    model: FewShotModel,
    data_module: DataModule,
    name: SplitName,
    settings: EvaluateSettings,
    episodes: int | None = None,
    bars: ProgressBars | None = None,
) -> Evaluation:
    """Tests a model on the first episodes of a split.

    The numbers do not depend on the route, nor on `batch_size`, `chunk` and `workers`, beyond what
    floating-point sums in another order give.

    Args:
        model: The model, on the bench's device; its mode is put back afterwards.
        data_module: Videos, clips and the kind of episode.
        name: The split; `val` selects, `test` reports.
        settings: How testing is run.
        episodes: How many; None for `settings.episodes`.
        bars: Where progress is shown; None shows none.

    Raises:
        UserError: The split cannot fill an episode, a video cannot be read, or the settings ask for
            a cache that the parts forbid.
    """
    counted = replace(settings, episodes=episodes or settings.episodes, shots=(), ways=())
    return evaluate_all(model, data_module, name, counted, bars)[0]


def evaluate_all(
    model: FewShotModel,
    data_module: DataModule,
    name: SplitName,
    settings: EvaluateSettings,
    bars: ProgressBars | None = None,
    keep: CacheFolders | None = None,
) -> tuple[Evaluation, ...]:
    """Tests a model on every kind of episode that the settings ask for, the bench's own first.

    Where features are cached, each video is encoded once for all of them.

    Args:
        model: As for `evaluate`.
        data_module: As for `evaluate`.
        name: As for `evaluate`.
        settings: How testing is run; `shots` and `ways` add kinds of episodes.
        bars: Where progress is shown; None shows none.
        keep: Where finished parts are kept and looked for; None keeps none.

    Raises:
        UserError: As `evaluate`.
    """
    split = data_module.splits[name]
    route = choose_cache_policy(model, data_module.clips, settings.cache)
    tasks = settings.tasks(data_module.episodes)
    plans = [
        draw_episode_arrays(s, settings.episodes) for s in samplers(data_module, name, settings)
    ]
    with _evaluating(model):
        text = text_bank(model, split)
        trial = Evaluator(
            model, data_module, split, settings, text, bars or ProgressBars(quiet=True), keep
        )
        outputs = list(trial.cached(plans) if route.cached else trial.anew(plans, tasks))
    found = zip(tasks, plans, outputs, strict=True)
    return tuple(_evaluation(task, plan, output, route) for task, plan, output in found)


def samplers(
    data_module: DataModule, name: SplitName, settings: EvaluateSettings
) -> list[EpisodeSampler]:
    """Who draws the episodes of each kind that the settings ask for.

    Raises:
        UserError: The split cannot fill an episode of one kind; cheap to find out before training.
    """
    own, *others = settings.tasks(data_module.episodes)
    found = [EpisodeSampler(data_module.splits[name], own, settings.seed)]
    try:
        found += [EpisodeSampler(data_module.splits[name], task, settings.seed) for task in others]
    except UserError as error:
        raise UserError(f"evaluate.shots and evaluate.ways ask for too much. {error}") from None
    return found


def _evaluation(
    task: EpisodeSettings, plan: EpisodeArrays, output: Output, route: CachePolicy
) -> Evaluation:
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
