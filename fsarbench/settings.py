"""Settings of training and evaluation: the config sections `train` and `evaluate`.

All training lengths are counted in episodes over all ranks, so a config means the same on one and
on eight devices, with and without gradient accumulation.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar, Literal

from fsarbench.arguments.signatures import CheckedSettings, Conflict
from fsarbench.arguments.value_rules import (
    NonEmptyStr,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SeedInt,
    ShareWithoutEnds,
    WayInt,
)
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError

Schedule = Literal["cosine", "constant", "multistep"]
Precision = Literal["auto", "fp32", "bf16"]
TestPrecision = Literal["fp32", "bf16"]
Select = Literal["val", "test"]
Cache = bool | Literal["auto"]
Workers = NonNegativeInt | Literal["auto"]

MOST_WORKERS = 8
# mmengine's visualisation backends by short name, and the module that each needs.
TRACKERS = {
    "TensorBoard": "tensorboard",
    "WandB": "wandb",
    "MLflow": "mlflow",
    "ClearML": "clearml",
    "Neptune": "neptune",
    "DVCLive": "dvclive",
    "Aim": "aim",
    "Local": "",
}


@dataclass(frozen=True, kw_only=True)
class TrainSettings(CheckedSettings):
    """Training with AdamW on seeded episodes.

    Attributes:
        episodes: Training episodes over all ranks; 0 skips training.
        accumulate: Episodes per optimiser step and rank.
        lr: Peak learning rate of the trainable parameters outside the trunk.
        trunk_lr: Peak learning rate of the trainable trunk parameters.
        weight_decay: Weight decay of weights with two or more axes; norms and biases have none.
        warmup: Episodes over which both learning rates rise linearly from near 0.
        schedule: Learning rate schedule after the warm-up: `cosine` (to 0), `constant`, or
            `multistep`.
        milestones: Episodes at which `multistep` multiplies the learning rates by 0.1.
        clip_grad: Maximum gradient norm of a step; None turns clipping off.
        precision: `bf16` or `fp32`; `auto` is bf16 on a GPU and fp32 on a CPU.
        tf32: Whether matrix products of fp32 tensors use TF32 on GPUs that support it: faster, with
            10 bits of mantissa.
        checkpointing: Activation checkpointing of every block (True) or of groups of n blocks (n):
            less memory, more time.
        compile: Whether the blocks run through `torch.compile`: about a minute at the start, faster
            afterwards.
        together: Whether support and query videos go through the backbone in one call (fewer and
            larger calls). Ignored if an adapter reads text.
        val_interval: Episodes between two validations; the last validation is always at the end.
        select: Split whose accuracy selects the checkpoint. `test` is common in released code, but
            its results are biased upwards; every table marks them.
        log_interval: Episodes between two log entries.
        trackers: Experiment trackers that log losses, learning rates, validations and the test
            result, besides `train.jsonl`: `TensorBoard`, `WandB`, `MLflow`, or the short name of
            any other visualisation backend of mmengine.
        workers: Processes that decode training clips; `auto` leaves one core to the model.
    """

    section: ClassVar[str] = "train"

    episodes: NonNegativeInt = 1000
    accumulate: PositiveInt = 1
    lr: NonNegativeFloat = 1e-3
    trunk_lr: NonNegativeFloat = 1e-5
    weight_decay: NonNegativeFloat = 0.01
    warmup: NonNegativeInt = 0
    schedule: Schedule = "cosine"
    milestones: list[PositiveInt] | tuple[PositiveInt, ...] = ()
    clip_grad: PositiveFloat | None = None
    precision: Precision = "auto"
    tf32: bool = False
    checkpointing: bool | NonNegativeInt = False
    compile: bool = False
    together: bool = False
    val_interval: PositiveInt = 1000
    select: Select = "val"
    log_interval: PositiveInt = 10
    trackers: list[str] | tuple[str, ...] = ("TensorBoard",)
    workers: Workers = "auto"

    def conflicts(self) -> Iterator[Conflict]:
        """Fields that contradict each other, and unknown trackers."""
        for name in self.trackers:
            if name.lower() not in map(str.lower, TRACKERS):
                known = ", ".join(TRACKERS)
                yield ("trackers",), f"trackers has {name!r}, expected one of {known}"
        if self.episodes and self.warmup >= self.episodes:
            yield (
                ("warmup", "episodes"),
                f"warmup is {self.warmup}, expected fewer episodes than the {self.episodes} of "
                "train.episodes",
            )


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings(CheckedSettings):
    """Evaluation on seeded episodes.

    Attributes:
        episodes: Test episodes per setting (way and shot).
        shots: Shots to test besides that of the section `episodes`; every combination with `ways`
            is tested, in one pass over the videos.
        ways: Ways to test besides that of the section `episodes`.
        val_episodes: Episodes per validation during training.
        seed: Seed of the validation and test episodes. It is independent of the training seed, so
            all training seeds and methods are tested on the same episodes.
        confidence: Confidence level of the intervals around accuracies.
        cache: Encode each video once and match cached features (True), encode every episode
            without a cache (False), or use the cache wherever it gives the same numbers (`auto`).
        features: Folder of a feature cache for later runs with the same weights, backbone, adapter,
            clips and reader. Prototypes, matcher and shots may differ; a changed video is encoded
            again. All runs may share the folder, and it may be deleted at any time. None keeps the
            features in the work folder until the result is written, for `--resume`.
        batch_size: Videos per backbone call of a cached evaluation.
        workers: Processes that decode clips; `auto` leaves one core to the model.
        chunk: Episodes per matching call of a cached evaluation.
        precision: Precision in which videos are encoded in tests and validations: `fp32`, or
            `bf16`, which is faster on a GPU and changes some predictions; every table marks it.
            Prototypes and matching are in fp32.
    """

    section: ClassVar[str] = "evaluate"

    episodes: PositiveInt = 10_000
    shots: list[PositiveInt] | tuple[PositiveInt, ...] = ()
    ways: list[WayInt] | tuple[WayInt, ...] = ()
    val_episodes: PositiveInt = 1000
    seed: SeedInt = 0
    confidence: ShareWithoutEnds = 0.95
    cache: Cache = "auto"
    features: NonEmptyStr | None = None
    batch_size: PositiveInt = 16
    workers: Workers = "auto"
    chunk: PositiveInt = 32
    precision: TestPrecision = "fp32"

    def tasks(self, own: EpisodeSettings) -> tuple[EpisodeSettings, ...]:
        """Distinct episode settings to test, starting with that of the section `episodes`.

        Example:
            >>> tasks = EvaluateSettings(shots=[1, 5]).tasks(EpisodeSettings(way=5, shot=1))
            >>> [(task.way, task.shot) for task in tasks]
            [(5, 1), (5, 5)]
        """
        pairs = product(self.ways or (own.way,), self.shots or (own.shot,))
        others = (replace(own, way=way, shot=shot) for way, shot in pairs)
        return tuple(dict.fromkeys((own, *others)))


def tracker_name(name: str) -> str:
    """Canonical spelling of a tracker's name.

    Raises:
        UserError: The tracker is unknown.

    Example:
        >>> tracker_name("wandb"), tracker_name("TensorBoard")
        ('WandB', 'TensorBoard')
    """
    for known in TRACKERS:
        if name.lower() == known.lower():
            return known
    raise UserError(f"train.trackers has {name!r}; each must be one of {', '.join(TRACKERS)}.")


def processes(workers: Workers) -> int:
    """Number of worker processes; it does not change any result.

    Example:
        >>> processes(3)
        3
        >>> 0 <= processes("auto") <= MOST_WORKERS
        True
    """
    if workers == "auto":
        # One core stays free for the model, which slows down manyfold when it has to share cores.
        return min(cores() - 1, MOST_WORKERS)
    return workers


def cores() -> int:
    """Number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
