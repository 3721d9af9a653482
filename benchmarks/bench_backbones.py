"""One encoding pass of every registered backbone, as videos are encoded for testing.

Frames are on the device, as bytes; the weights are random. Run without the shape contracts, which
cost time::

    pytest -o addopts= benchmarks/bench_backbones.py

Each pass is held against the device's ceiling, measured in the same run: the operations a second of
one large matrix product of the same precision, and, for vision transformers, of the products of
their own shapes.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.events import wait
from benchmarks.measure import Run, Shape, product_rate
from benchmarks.parts import frames, registered
from benchmarks.sizes import Sizes
from fsarbench.assembly import build_part
from fsarbench.backbones.vit import ViT
from fsarbench.backbones.walk import Walk
from fsarbench.engine.lean import walking
from fsarbench.engine.profile import counted, on_meta
from fsarbench.interfaces import Backbone

Say = Callable[[str], None]
HALF = torch.bfloat16
# `bf16` is autocast, as training encodes; `bf16 weights` has no weights or tokens in fp32.
PRECISIONS = ["fp32", "bf16", "bf16 weights"]


def build(name: str, precision: str, sizes: Sizes, device: torch.device) -> Backbone:
    torch.manual_seed(0)
    backbone = build_part("backbone", {"type": name, **sizes.backbones[name]}).eval().to(device)
    return backbone.to(HALF) if precision == "bf16 weights" else backbone


def encode(backbone: Backbone, images: torch.Tensor, precision: str) -> Run:
    """One pass, finished on the device when it returns."""
    videos = images[None] if precision != "bf16 weights" else images[None].to(HALF) / 255
    device = images.device

    def run() -> None:
        with torch.no_grad(), torch.autocast(device.type, HALF, enabled=precision == "bf16"):
            backbone(videos)
        wait(device)

    return run


def operations(backbone: Backbone, images: torch.Tensor) -> int:
    """Of one pass; 1 multiply-add = 2 operations."""
    empty, videos = on_meta(backbone), images[None].to("meta")
    if next(backbone.parameters()).dtype == HALF:
        videos = videos.to(HALF)
    return counted(lambda: empty(videos)).total


def own_shapes(backbone: ViT, images: int) -> tuple[Shape, ...]:
    """The matrix products of a block: query, key and value; output; up; down."""
    width, hidden = backbone.width, backbone.mlp_width
    size = backbone.image_size
    dtype = next(backbone.parameters()).dtype
    meta = torch.empty(1, 3, size, size, device="meta", dtype=dtype)
    rows = images * on_meta(backbone).trunk.embed(meta).shape[1]
    inner = [(width, 3 * width), (width, width), (width, hidden), (hidden, width)]
    return tuple((rows, *pair) for pair in inner)


def report(benchmark: BenchmarkFixture, backbone: Backbone, images: Any, sizes: Sizes) -> None:
    """The speed, beside that of matrix products in the same precision."""
    if benchmark.stats is None:
        return
    half = benchmark.extra_info["precision"] != "fp32"
    dtype = HALF if half else torch.float32
    rate = operations(backbone, images) / benchmark.stats.stats.median
    large = product_rate(images.device, dtype, ((sizes.matrix, sizes.matrix, sizes.matrix),))
    benchmark.extra_info.update(
        {
            "frames": len(images),
            "frames/s": len(images) / benchmark.stats.stats.median,
            "FLOP/s": rate,
            "share of the matrix product": rate / large,
            "matrix product FLOP/s": large,
        }
    )
    if isinstance(backbone, ViT):
        own = product_rate(images.device, dtype, own_shapes(backbone, len(images)))
        benchmark.extra_info["share of its own products"] = rate / own


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", registered("backbone"))
def test_eager(
    benchmark: BenchmarkFixture, name: str, precision: str, sizes: Sizes, device: torch.device
) -> None:
    backbone = build(name, precision, sizes, device)
    images = frames(sizes.images, backbone, device)
    benchmark.group = f"{name} {sizes.backbones[name]['model']}"
    benchmark.extra_info["precision"] = precision
    benchmark.pedantic(encode(backbone, images, precision), rounds=10, warmup_rounds=2)
    report(benchmark, backbone, images, sizes)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["OpenClipViT", "TimmViT"])
def test_compiled(
    benchmark: BenchmarkFixture,
    name: str,
    precision: str,
    sizes: Sizes,
    device: torch.device,
    request: pytest.FixtureRequest,
) -> None:
    if not request.config.getoption("--compiled"):
        pytest.skip("--compiled is not given")
    backbone = build(name, precision, sizes, device)
    images = frames(sizes.images, backbone, device)
    benchmark.group = f"{name} {sizes.backbones[name]['model']}"
    benchmark.extra_info["precision"] = precision
    with walking(backbone, Walk(compiler="inductor")):
        benchmark.pedantic(encode(backbone, images, precision), rounds=10, warmup_rounds=3)
    report(benchmark, backbone, images, sizes)
