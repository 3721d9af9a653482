"""How near work comes to what the device could do (Williams et al., CACM 2009)."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from fsarbench.interfaces import Matcher
from fsarbench.matchers.otam import OTAM
from fsarbench.matchers.trx import TRX
from fsarbench.profiling.dummy_inputs import ProfiledModel, loss_of, random_episode, random_on
from fsarbench.profiling.flop_counter import FlopCounter, plain_attention
from fsarbench.profiling.operations import count_testing, count_training
from fsarbench.profiling.timing import time_runs
from fsarbench.settings import TrainSettings
from fsarbench.training.acceleration import accelerated, tf32_matmul
from fsarbench.training.precision import autocast

# Large enough to fill the device, small enough for its memory and for some seconds of patience.
SIDE = {"cuda": 8192, "cpu": 1024}
COPIED = {"cuda": 2**30, "cpu": 2**27}


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """The best that was measured.

    Attributes:
        product: Operations a second of a square matrix product.
        copy: Bytes a second of a copy, read and written ones added.
        dtype: The type of the product's numbers.
    """

    product: float
    copy: float
    dtype: str


def measure_ceilings(device: torch.device, half: bool, repeats: int = 10) -> Ceilings:
    """Both ceilings, by the fastest half of the repeats."""
    dtype = torch.bfloat16 if half else torch.float32
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


def product_at_shapes(rows: int, width: int, inner: int, device: torch.device, half: bool) -> float:
    """Operations a second of the four products of a transformer block, nothing between them.

    Args:
        rows: Tokens of all frames of a call.
        width: Token width.
        inner: Width inside the MLP.
        device: Where.
        half: In bf16.
    """
    dtype = torch.bfloat16 if half else torch.float32
    shapes = [(width, 3 * width), (width, width), (width, inner), (inner, width)]
    pairs: list[tuple[Tensor, Tensor]] = [
        (
            torch.randn(rows, taken, device=device, dtype=dtype),
            torch.randn(given, taken, device=device, dtype=dtype),
        )
        for taken, given in shapes
    ]
    seconds = time_runs(lambda: [F.linear(*pair) for pair in pairs], device, repeats=5).low
    return sum(2 * rows * taken * given for taken, given in shapes) / seconds


# A view by another name, and memory that is only taken.
STILL = ("_unsafe_view", "empty", "new_empty")


@dataclass(frozen=True, kw_only=True)
class Work:
    """One piece of work beside the ceilings.

    Attributes:
        name: What it is.
        operations: Its floating-point operations.
        traffic: Bytes that its operations read and wrote, each by itself: what fusing would save is
            in it.
        seconds: Median.
        product_share: Its operations a second, as a share of the product's ceiling.
        share: The time that the nearer ceiling would allow, over the time that it took.
        bound: Which ceiling is nearer, `product` or `copy`.
    """

    name: str
    operations: int
    traffic: int
    seconds: float
    product_share: float
    share: float
    bound: str


class Traffic(TorchDispatchMode):
    """Adds up the bytes that operations read and write; views move nothing.

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
        """Runs the operation."""
        del types
        made = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if not (func.is_view or name.startswith(STILL)):
            moved = (t for t in tree_iter((args, kwargs, made)) if isinstance(t, Tensor))
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in moved)
        return made


@dataclass(frozen=True)
class Piece:
    """Something to be held against the ceilings.

    Attributes:
        name: What it is.
        operations: Its floating-point operations.
        run: Does it, in the way that the settings of training say.
    """

    name: str
    operations: int
    run: Callable[[TrainSettings], object]


def roofline(
    subject: ProfiledModel, device: torch.device, half: bool, repeats: int
) -> dict[str, Any]:
    """A backbone pass, a training step, OTAM and TRX beside the device's ceilings."""
    settings = subject.settings.train
    with tf32_matmul(settings.tf32):
        ceilings = measure_ceilings(device, half)
        found = {"ceilings": asdict(ceilings), **at_block_shapes(subject, device, half)}
        works = [
            work(piece, settings, ceilings, device, repeats)
            for piece in pieces(subject, device, half)
        ]
    return {**found, "work": [asdict(done) for done in works]}


def at_block_shapes(subject: ProfiledModel, device: torch.device, half: bool) -> dict[str, float]:
    """The product's ceiling at the shapes of the trunk's blocks, where they have plain ones."""
    backbone, query = subject.model.backbone, subject.episode("test").query
    if not backbone.mlp_width:
        return {}
    rows = query.shape[0] * query.shape[1] * tokens_of(subject)
    sizes = rows, backbone.width, backbone.mlp_width
    return {"product_at_block_shapes": product_at_shapes(*sizes, device, half)}


def work(
    piece: Piece, settings: TrainSettings, ceilings: Ceilings, device: torch.device, repeats: int
) -> Work:
    """Measures one piece."""
    # Compiled code has no operations that could be followed one by one.
    with Traffic() as traffic:
        piece.run(replace(settings, compile=False))
    seconds = time_runs(lambda: piece.run(settings), device, repeats).median
    least = {"product": piece.operations / ceilings.product, "copy": traffic.bytes / ceilings.copy}
    bound = max(least, key=lambda kind: least[kind])
    return Work(
        name=piece.name,
        operations=piece.operations,
        traffic=traffic.bytes,
        seconds=seconds,
        product_share=least["product"] / seconds,
        share=least[bound] / seconds,
        bound=bound,
    )


def pieces(subject: ProfiledModel, device: torch.device, half: bool) -> Iterator[Piece]:
    """The backbone, the training step and two matchers."""
    model = random_on(subject.model, device)
    test, train = (random_episode(subject.episode(s), device) for s in ("test", "train"))

    @torch.no_grad()
    def encode(settings: TrainSettings) -> object:
        with autocast(device, half), accelerated(model.backbone, settings):
            return model.encode_query(test.query)

    def step(settings: TrainSettings) -> None:
        with accelerated(model.backbone, settings):
            loss_of(model, train, half, settings.together).backward()
        model.zero_grad(set_to_none=True)

    videos = len(test.query)
    model.eval()
    if not model.backbone.takes_features:
        yield Piece("backbone pass", videos * count_testing(subject).query_video, encode)
    counted = count_training(subject)
    if counted is not None:
        model.train()
        yield Piece("training step", counted.step, step)
    yield from matchers(subject, device)


def matchers(subject: ProfiledModel, device: torch.device) -> Iterator[Piece]:
    """OTAM and TRX on features of an episode of the config's kind."""
    episode = subject.episode("test")
    dim, frames = subject.model.backbone.dim, subject.clips.frames
    way, queries = episode.support.shape[0], len(episode.query)
    sizes = tuple(size for size in (2, 3) if size <= frames) or (1,)
    shapes = (queries, frames, dim), (1, way, 1, frames, dim)
    for matcher in (OTAM(), TRX(dim, sizes)):
        with torch.no_grad(), plain_attention(), FlopCounter() as counter:
            matcher.to("meta").eval()(*(torch.empty(shape, device="meta") for shape in shapes))
        query, prototypes = (torch.randn(shape, device=device) for shape in shapes)
        run = partial(_match, random_on(matcher, device).eval(), query, prototypes)
        yield Piece(type(matcher).__name__, counter.total, run)


@torch.no_grad()
def _match(matcher: Matcher, query: Tensor, prototypes: Tensor, settings: TrainSettings) -> Tensor:
    del settings
    return matcher(query, prototypes)


def tokens_of(subject: ProfiledModel) -> int:
    """Tokens of a frame that enter the first block."""
    trunk: Any = subject.model.backbone.trunk
    size = subject.clips.sides()[0]
    with torch.device("meta"), torch.no_grad():
        tokens = trunk.embed(torch.empty(1, 3, size, size))
    return tokens.shape[1]
