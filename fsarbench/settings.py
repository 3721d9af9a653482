"""How a model is trained and how it is tested: the config sections `train` and `evaluate`.

All lengths of training are counted in episodes over all ranks, so a config means the same on one
device and on eight, with and without accumulation.
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
    """Training by AdamW over seeded episodes.

    Attributes:
        episodes: Training episodes over all ranks; 0 trains nothing.
        accumulate: Episodes of one optimiser step, on each rank.
        lr: Peak learning rate of everything tuned outside the trunk.
        trunk_lr: Peak learning rate of tuned trunk parameters.
        weight_decay: Of weights with two axes or more; norms and biases have none.
        warmup: Episodes over which both rates rise linearly from near 0.
        schedule: What follows the warm-up: `cosine` to 0, `constant`, or `multistep`.
        milestones: Episodes at which `multistep` multiplies the rates by 0.1.
        clip_grad: Largest norm of a step's gradient; None leaves it as it is.
        precision: `bf16` and `fp32` as named; `auto` is bf16 on a GPU and fp32 on a CPU.
        tf32: Matrix products of fp32 tensors in TF32, on a GPU that has it: faster, 10 bits.
        checkpointing: Keep the tokens between blocks and compute a block's activations once more
            in the backward pass (True), or those of n blocks together (n): less memory, more time.
        compile: Run the blocks through `torch.compile`: a minute at the start, faster thereafter.
        together: Support and query videos in one call of the backbone, where no text is given to
            the support: fewer and larger calls.
        val_interval: Episodes between two validations; there is always one at the end.
        select: The classes whose accuracy chooses the state that is kept. `test` is what much
            released code does; its results look better than they are, and every table says so.
        log_interval: Episodes between two log entries.
        trackers: Where losses, learning rates, validations and the test result are logged besides
            `train.jsonl`: `TensorBoard`, `WandB`, `MLflow`, or any other of mmengine's
            visualisation backends by its short name.
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
        """Fields that do not fit together, and trackers that do not exist."""
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
    """Testing on seeded episodes.

    Attributes:
        episodes: Test episodes of each kind.
        shots: Shots to test besides that of `episodes`; every combination with `ways` is tested,
            from one pass over the videos.
        ways: Ways to test besides that of `episodes`.
        val_episodes: Episodes of each validation during training.
        seed: Draws the validation and test episodes, apart from the seed of training: so runs with
            other training seeds, and other methods, are tested on the same episodes.
        confidence: Of the interval around an accuracy.
        cache: Encode each video once and match cached features (True), encode every episode anew
            (False), or the first wherever it gives the same numbers (`auto`).
        features: A folder that keeps the features of encoded videos for later runs: those of the
            same weights, backbone, adapter, clips and reader take them from there (other
            prototypes, matchers, shots do not matter; a changed video is encoded anew). It may be
            shared by all runs, and deleted at any time. None keeps them in the work folder until
            the result is written, so that `--resume` goes on with them.
        batch_size: Videos of one encoding call of the cached path.
        workers: Processes that decode clips; `auto` leaves one core to the model.
        chunk: Episodes matched in one call of the cached path.
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

    def tasks(self, own: EpisodeSettings) -> tuple[EpisodeSettings, ...]:
        """The kinds of episodes to test, the config's own first, each once.

        Example:
            >>> kinds = EvaluateSettings(shots=[1, 5]).tasks(EpisodeSettings(way=5, shot=1))
            >>> [(kind.way, kind.shot) for kind in kinds]
            [(5, 1), (5, 5)]
        """
        pairs = product(self.ways or (own.way,), self.shots or (own.shot,))
        others = (replace(own, way=way, shot=shot) for way, shot in pairs)
        return tuple(dict.fromkeys((own, *others)))


def tracker_name(name: str) -> str:
    """The spelling of a tracker's name that mmengine's backend of it goes by here.

    Raises:
        UserError: There is no such tracker.

    Example:
        >>> tracker_name("wandb"), tracker_name("TensorBoard")
        ('WandB', 'TensorBoard')
    """
    for known in TRACKERS:
        if name.lower() == known.lower():
            return known
    raise UserError(f"train.trackers has {name!r}; each must be one of {', '.join(TRACKERS)}.")


def processes(workers: Workers) -> int:
    """The number of worker processes; the numbers computed are the same for any.

    Example:
        >>> processes(3)
        3
        >>> 0 <= processes("auto") <= MOST_WORKERS
        True
    """
    if workers == "auto":
        # One core is the model's: threads that wait for each other there slow it down manyfold.
        return min(cores() - 1, MOST_WORKERS)
    return workers


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
