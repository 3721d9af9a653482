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
from fsarbench.evaluation.feature_cache import FeatureCache, Features, encode_split, text_bank
from fsarbench.evaluation.matching import compute_per_video, match_episodes
from fsarbench.evaluation.precision import forward_episode
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import require_finite
from fsarbench.runtime.progress import ProgressBar, ProgressBars
from fsarbench.runtime.timer import Timer
from fsarbench.settings import EvaluateSettings, processes
from fsarbench.video import Split, SplitName

Output = tuple[Float[Tensor, "episodes Q N"], float, float]

# Episodes per file of the disk cache: the most that a killed test loses.
SHARD = 25
# GiB of features from which on their size is shown.
LARGE = 0.5


@dataclass(frozen=True)
class Evaluator:
    """Evaluation of one model on one split.

    Attributes:
        model: In evaluation mode.
        data_module: Reader, clip settings and device.
        split: Videos and classes of the split.
        settings: Evaluation settings.
        text: Text features of the split's classes.
        bars: Progress display.
        cache_folders: Folders of cached features and scores; None to cache nothing on disk.
    """

    model: FewShotModel
    data_module: DataModule
    split: Split
    settings: EvaluateSettings
    text: Float[Tensor, "A M E"] | None
    bars: ProgressBars
    cache_folders: CacheFolders | None = None

    @property
    def bf16(self) -> bool:
        """Whether videos are encoded in bf16."""
        return self.settings.precision == "bf16"

    @property
    def labels(self) -> Int64[np.ndarray, " V"]:
        """Class index of each video of the split."""
        return np.array([video.label for video in self.split.videos], dtype=np.int64)

    def cached(self, drawn: Sequence[EpisodeArrays]) -> Iterator[Output]:
        """Scores, encoding seconds and matching seconds; every video is encoded once."""
        encode_timer = Timer(self.data_module.device)
        with encode_timer:
            features = self._encode(drawn)
        match_timer = Timer(self.data_module.device)
        with match_timer:
            per_video = compute_per_video(self.model, features, drawn, self.labels, self.text)
        for number, arrays in enumerate(drawn):
            with (
                match_timer,
                self.bars.task(f"match {self.split.name}", distributed.part(len(arrays))) as bar,
            ):
                chunk = self.settings.chunk
                scores = match_episodes(
                    self.model, features, arrays, self.text, chunk, bar, per_video
                )
            require_finite(scores, f"The scores of the {self.split.name} episodes")
            yield scores, 0.0 if number else encode_timer.seconds, match_timer.seconds
            match_timer = Timer(self.data_module.device)

    def uncached(
        self, drawn: Sequence[EpisodeArrays], tasks: Sequence[EpisodeSettings]
    ) -> Iterator[Output]:
        """Scores, encoding seconds and 0; all videos are encoded again for every episode."""
        disk_cache = None
        if self.cache_folders is not None:
            disk_cache = self.cache_folders.score_cache(self.model, self.data_module, self.split)
        for arrays, task in zip(drawn, tasks, strict=True):
            encode_timer = Timer(self.data_module.device)
            local_episodes = distributed.part(len(arrays))
            with encode_timer, self.bars.task(f"test on {self.split.name}", local_episodes) as bar:
                scores = self._episode_scores(len(arrays), task, disk_cache, bar)
            yield scores, encode_timer.seconds, 0.0

    def _encode(self, drawn: Sequence[EpisodeArrays]) -> Features:
        cache = FeatureCache(self.model, self.split, drawn, self.text, self.bf16)
        # Features that were given are on disk already.
        if self.cache_folders is not None and not self.model.backbone.takes_features:
            disk_cache = self.cache_folders.feature_cache(self.model, self.data_module, self.bf16)
            cache.attach(disk_cache, self.data_module.reader, self.data_module.device)
        title = f"encode {self.split.name}"
        size = cache.size(self.data_module.clips.frames) / 2**30
        if size >= LARGE:
            title += f" ({size:.1f} GiB of features)"
        with self.bars.task(title, distributed.part(len(cache.videos))) as bar:
            return encode_split(self.model, self.data_module, cache, self.split, self.settings, bar)

    def _episode_scores(
        self, episodes: int, task: EpisodeSettings, disk_cache: DiskCache | None, bar: ProgressBar
    ) -> Float[Tensor, "episodes Q N"]:
        names = [f"{task} {number}" for number in range(episodes)]
        cached = {} if disk_cache is None else disk_cache.read(names)
        bar.advance(distributed.part(len(cached)))
        missing = [number for number in range(episodes) if number not in cached]
        computed, writer = {}, ShardWriter(disk_cache, SHARD)
        for number, scores in self._compute_scores(distributed.share(missing), task):
            computed[number] = scores
            writer.add([names[number]], [scores])
            bar.advance()
        writer.close()
        cached |= distributed.gather(computed)
        return torch.stack([cached[number].cpu() for number in range(episodes)])

    def _compute_scores(
        self, numbers: Sequence[int], task: EpisodeSettings
    ) -> Iterator[tuple[int, Float[Tensor, "Q N"]]]:
        data_module, split = self.data_module, self.split
        sampler = EpisodeSampler(split, task, self.settings.seed)
        data = EpisodeDataset(
            split, sampler, data_module.reader, data_module.clips, False, self.model.extra
        )
        loader = episode_loader(data, numbers, processes(self.settings.workers))
        for number, batch in zip(numbers, loader, strict=True):
            episode = to_episode(batch, split, self.text, data_module.device)
            outcome = forward_episode(self.model, episode, self.bf16)
            scores = self.model.scores(outcome)
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
    """Evaluate a model on the first episodes of a split.

    Apart from floating-point rounding, scores do not depend on the cache policy, `batch_size`,
    `chunk` or `workers`.

    Args:
        model: Model on the data module's device; its train/eval mode is restored afterwards.
        data_module: Videos, clip settings and episode settings.
        name: Name of the split: `val` for model selection, `test` for results.
        settings: Evaluation settings.
        episodes: Number of episodes; None for `settings.episodes`.
        bars: Progress display; None shows no progress.

    Raises:
        UserError: The split is too small for an episode, a video cannot be read, or the settings
            require a cache although the model or the clips do not allow it.
    """
    counted = replace(settings, episodes=episodes or settings.episodes, shots=(), ways=())
    return evaluate_all(model, data_module, name, counted, bars)[0]


def evaluate_all(
    model: FewShotModel,
    data_module: DataModule,
    name: SplitName,
    settings: EvaluateSettings,
    bars: ProgressBars | None = None,
    cache_folders: CacheFolders | None = None,
) -> tuple[Evaluation, ...]:
    """Evaluate a model in every requested way/shot setting, the data module's own first.

    If features are cached, each video is encoded once for all settings.

    Args:
        model: See `evaluate`.
        data_module: See `evaluate`.
        name: See `evaluate`.
        settings: Evaluation settings; `shots` and `ways` add way/shot settings.
        bars: Progress display; None shows no progress.
        cache_folders: Folders of cached features and scores; None to cache nothing on disk.

    Raises:
        UserError: See `evaluate`.
    """
    split = data_module.splits[name]
    policy = choose_cache_policy(model, data_module.clips, settings.cache)
    tasks = settings.tasks(data_module.episodes)
    drawn = [
        draw_episode_arrays(s, settings.episodes) for s in samplers(data_module, name, settings)
    ]
    with _evaluation_mode(model):
        text = text_bank(model, split)
        evaluator = Evaluator(
            model,
            data_module,
            split,
            settings,
            text,
            bars or ProgressBars(quiet=True),
            cache_folders,
        )
        outputs = list(
            evaluator.cached(drawn) if policy.cached else evaluator.uncached(drawn, tasks)
        )
    per_task = zip(tasks, drawn, outputs, strict=True)
    return tuple(_evaluation(task, arrays, output, policy) for task, arrays, output in per_task)


def samplers(
    data_module: DataModule, name: SplitName, settings: EvaluateSettings
) -> list[EpisodeSampler]:
    """Episode samplers of all requested way/shot settings.

    Cheap enough to call before training.

    Raises:
        UserError: The split is too small for an episode of one of the settings.
    """
    first, *others = settings.tasks(data_module.episodes)
    drawn_samplers = [EpisodeSampler(data_module.splits[name], first, settings.seed)]
    try:
        drawn_samplers += [
            EpisodeSampler(data_module.splits[name], task, settings.seed) for task in others
        ]
    except UserError as error:
        raise UserError(f"evaluate.shots and evaluate.ways ask for too much. {error}") from None
    return drawn_samplers


def _evaluation(
    task: EpisodeSettings, arrays: EpisodeArrays, output: Output, policy: CachePolicy
) -> Evaluation:
    scores, encode, match = output
    fields = (arrays.labels, arrays.classes, arrays.support, arrays.query)
    return Evaluation(task, scores.float().cpu().numpy(), *fields, policy, encode, match)


@contextmanager
def _evaluation_mode(model: FewShotModel) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
