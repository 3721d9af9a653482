"""Roofline model: speed of a model relative to the device (Williams et al., CACM 2009)."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from fsarbench.evaluation.precision import autocast
from fsarbench.interfaces import Matcher
from fsarbench.matchers.otam import OTAM
from fsarbench.matchers.trx import TRX
from fsarbench.profiling.dummy_inputs import (
    ProfiledModel,
    episode_loss,
    random_copy,
    random_episode,
)
from fsarbench.profiling.flop_counter import FlopCounter, unfused_attention
from fsarbench.profiling.operations import count_testing, count_training
from fsarbench.profiling.timing import time_runs
from fsarbench.settings import TrainSettings
from fsarbench.training.acceleration import accelerated, tf32_matmul

# Sizes that occupy the whole device, but take only seconds.
SIDE = {"cuda": 8192, "cpu": 1024}
COPIED = {"cuda": 2**30, "cpu": 2**27}


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """Measured maximum speed of a device.

    Attributes:
        product: FLOPs per second of a square matrix product.
        copy: Bytes per second of a copy, read and written bytes added.
        dtype: Data type of the matrix product.
    """

    product: float
    copy: float
    dtype: str


def measure_ceilings(device: torch.device, bf16: bool, repeats: int = 10) -> Ceilings:
    """Measure both ceilings, from the first quartile of the repeats."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    side = SIDE.get(device.type, 1024)
    left = torch.randn(side, side, device=device, dtype=dtype)
    product = time_runs(lambda: left @ left, device, repeats).low
    source = torch.zeros(COPIED.get(device.type, 2**27), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = time_runs(lambda: target.copy_(source), device, repeats).low
    return Ceilings(
        product=2 * side**3 / product,
        copy=2 * source.numel() / copy,
        dtype=str(dtype).removeprefix("torch."),
    )


def matmul_rate_at_shapes(
    rows: int, width: int, inner: int, device: torch.device, bf16: bool
) -> float:
    """FLOPs per second of the four matrix products of a transformer block, run one by one.

    Args:
        rows: Number of tokens of all frames.
        width: Token width.
        inner: Hidden width of the MLP.
        device: Device of the measurement.
        bf16: Compute in bf16.
    """
    dtype = torch.bfloat16 if bf16 else torch.float32
    shapes = [(width, 3 * width), (width, width), (width, inner), (inner, width)]
    pairs: list[tuple[Tensor, Tensor]] = [
        (
            torch.randn(rows, width_in, device=device, dtype=dtype),
            torch.randn(width_out, width_in, device=device, dtype=dtype),
        )
        for width_in, width_out in shapes
    ]
    seconds = time_runs(lambda: [F.linear(*pair) for pair in pairs], device, repeats=5).low
    return sum(2 * rows * width_in * width_out for width_in, width_out in shapes) / seconds


# Operations that move no data: a view that is not marked as one, and allocations.
NO_TRAFFIC = ("_unsafe_view", "empty", "new_empty")


@dataclass(frozen=True, kw_only=True)
class RooflinePoint:
    """Speed of one workload relative to the ceilings.

    Attributes:
        name: Name of the workload.
        operations: FLOPs.
        traffic: Bytes that all operations read and write, without fusion of operations.
        seconds: Median time.
        product_share: FLOPs per second as a fraction of the ceiling of the matrix product.
        share: Minimum time at the limiting ceiling as a fraction of the measured time.
        bound: Limiting ceiling, `product` or `copy`.
    """

    name: str
    operations: int
    traffic: int
    seconds: float
    product_share: float
    share: float
    bound: str


class Traffic(TorchDispatchMode):
    """Count the bytes that operations read and write; views move no data.

    Example:
        >>> with Traffic() as traffic:
        ...     total = torch.ones(2, 3).t() + 1
        >>> traffic.bytes  # ones writes 24; the sum reads 24 and writes 24
        72
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation and add the bytes of its inputs and outputs."""
        del types
        output = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if not (func.is_view or name.startswith(NO_TRAFFIC)):
            moved = (t for t in tree_iter((args, kwargs, output)) if isinstance(t, Tensor))
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in moved)
        return output


@dataclass(frozen=True)
class Workload:
    """Computation to be compared with the ceilings.

    Attributes:
        name: Name of the workload.
        operations: FLOPs.
        run: Function that runs the computation with given training settings.
    """

    name: str
    operations: int
    run: Callable[[TrainSettings], object]


def roofline(
    profiled: ProfiledModel, device: torch.device, bf16: bool, repeats: int
) -> dict[str, Any]:
    """Measure a backbone pass, a training step, OTAM and TRX relative to the ceilings."""
    settings = profiled.settings.train
    with tf32_matmul(settings.tf32):
        ceilings = measure_ceilings(device, bf16)
        measured = {"ceilings": asdict(ceilings), **block_shape_ceiling(profiled, device, bf16)}
        points = [
            measure_workload(workload, settings, ceilings, device, repeats)
            for workload in workloads(profiled, device, bf16)
        ]
    return {**measured, "work": [asdict(point) for point in points]}


def block_shape_ceiling(
    profiled: ProfiledModel, device: torch.device, bf16: bool
) -> dict[str, float]:
    """Ceiling of matrix products with the shapes of the transformer blocks; empty for CNNs."""
    backbone, query = profiled.model.backbone, profiled.episode("test").query
    if not backbone.mlp_width:
        return {}
    rows = query.shape[0] * query.shape[1] * tokens_of(profiled)
    sizes = rows, backbone.width, backbone.mlp_width
    return {"product_at_block_shapes": matmul_rate_at_shapes(*sizes, device, bf16)}


def measure_workload(
    workload: Workload,
    settings: TrainSettings,
    ceilings: Ceilings,
    device: torch.device,
    repeats: int,
) -> RooflinePoint:
    """Measure one workload."""
    # The operations of compiled code cannot be tracked one by one.
    with Traffic() as traffic:
        workload.run(replace(settings, compile=False))
    seconds = time_runs(lambda: workload.run(settings), device, repeats).median
    minimum = {
        "product": workload.operations / ceilings.product,
        "copy": traffic.bytes / ceilings.copy,
    }
    bound = max(minimum, key=lambda ceiling: minimum[ceiling])
    return RooflinePoint(
        name=workload.name,
        operations=workload.operations,
        traffic=traffic.bytes,
        seconds=seconds,
        product_share=minimum["product"] / seconds,
        share=minimum[bound] / seconds,
        bound=bound,
    )


def workloads(profiled: ProfiledModel, device: torch.device, bf16: bool) -> Iterator[Workload]:
    """Yield the backbone pass, the training step and two matchers."""
    model = random_copy(profiled.model, device)
    test, train = (random_episode(profiled.episode(s), device) for s in ("test", "train"))

    @torch.no_grad()
    def encode(settings: TrainSettings) -> object:
        with autocast(device, bf16), accelerated(model.backbone, settings):
            return model.encode_query(test.query)

    def step(settings: TrainSettings) -> None:
        with accelerated(model.backbone, settings):
            episode_loss(model, train, bf16, settings.together).backward()
        model.zero_grad(set_to_none=True)

    videos = len(test.query)
    model.eval()
    if not model.backbone.takes_features:
        yield Workload("backbone pass", videos * count_testing(profiled).query_video, encode)
    training = count_training(profiled)
    if training is not None:
        model.train()
        yield Workload("training step", training.step, step)
    yield from matcher_workloads(profiled, device)


def matcher_workloads(profiled: ProfiledModel, device: torch.device) -> Iterator[Workload]:
    """Yield OTAM and TRX on random features with the shapes of a test episode."""
    episode = profiled.episode("test")
    dim, frames = profiled.model.backbone.dim, profiled.clips.frames
    way, queries = episode.support.shape[0], len(episode.query)
    sizes = tuple(size for size in (2, 3) if size <= frames) or (1,)
    shapes = (queries, frames, dim), (1, way, 1, frames, dim)
    for matcher in (OTAM(), TRX(dim, sizes)):
        with torch.no_grad(), unfused_attention(), FlopCounter() as counter:
            matcher.to("meta").eval()(*(torch.empty(shape, device="meta") for shape in shapes))
        query, prototypes = (torch.randn(shape, device=device) for shape in shapes)
        run = partial(_match, random_copy(matcher, device).eval(), query, prototypes)
        yield Workload(type(matcher).__name__, counter.total, run)


@torch.no_grad()
def _match(matcher: Matcher, query: Tensor, prototypes: Tensor, settings: TrainSettings) -> Tensor:
    del settings
    return matcher(query, prototypes)


def tokens_of(profiled: ProfiledModel) -> int:
    """Number of tokens per frame at the first block."""
    trunk: Any = profiled.model.backbone.trunk
    size = profiled.clips.sides()[0]
    with torch.device("meta"), torch.no_grad():
        tokens = trunk.embed(torch.empty(1, 3, size, size))
    return tokens.shape[1]
