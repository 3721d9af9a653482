"""One encoding pass of every backbone of single frames, as in testing.

Frames are bytes on the device; the weights are random. Run without the shape checks, which
take time::

    pytest -o addopts= benchmarks/bench_backbones.py

Each pass is compared with the peak of the device, measured in the same run: operations per second
of one large matrix product of the same precision and, for vision transformers, of matrix products
of their own shapes.
"""

from functools import cache

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measure import Run
from benchmarks.parts import frames
from benchmarks.sizes import SIZES, Sizes
from fsarbench.backbones.vit import BlockLoop, ViT
from fsarbench.config.build import build_component
from fsarbench.interfaces import Backbone
from fsarbench.profiling.episode_flops import count_operations, meta_copy
from fsarbench.profiling.roofline import matmul_rate_at_shapes, measure_ceilings
from fsarbench.profiling.timing import synchronize
from fsarbench.training.acceleration import block_execution

HALF = torch.bfloat16
# `bf16` is autocast, as training encodes; `bf16 weights` has no weights or tokens in fp32.
PRECISIONS = ["fp32", "bf16", "bf16 weights"]


def build(name: str, precision: str, sizes: Sizes, device: torch.device) -> Backbone:
    torch.manual_seed(0)
    backbone = (
        build_component("backbone", {"type": name, **sizes.backbones[name]}).eval().to(device)
    )
    return backbone.to(HALF) if precision == "bf16 weights" else backbone


def encode(backbone: Backbone, images: torch.Tensor, precision: str) -> Run:
    """Run one pass and wait until the device has finished."""
    videos = images[None] if precision != "bf16 weights" else images[None].to(HALF) / 255
    device = images.device

    def run() -> None:
        with torch.no_grad(), torch.autocast(device.type, HALF, enabled=precision == "bf16"):
            backbone(videos)
        synchronize(device)

    return run


def operations(backbone: Backbone, images: torch.Tensor) -> int:
    """Operations of one pass; 1 multiply-add = 2 operations."""
    empty, videos = meta_copy(backbone), images[None].to("meta")
    if next(backbone.parameters()).dtype == HALF:
        videos = videos.to(HALF)
    return count_operations(lambda: empty(videos)).total


@cache
def ceiling(device: torch.device, half: bool) -> float:
    """Operations per second of one large matrix product."""
    return measure_ceilings(device, half).product


def tokens(backbone: ViT) -> int:
    """Number of tokens per frame."""
    size, dtype = backbone.image_size, next(backbone.parameters()).dtype
    image = torch.empty(1, 3, size, size, device="meta", dtype=dtype)
    return int(meta_copy(backbone).trunk.embed(image).shape[1])


def report(benchmark: BenchmarkFixture, backbone: Backbone, images: torch.Tensor) -> None:
    """Speed, absolute and relative to matrix products in the same precision."""
    if benchmark.stats is None:
        return
    half = benchmark.extra_info["precision"] != "fp32"
    seconds, device = benchmark.stats.stats.median, images.device
    rate, large = operations(backbone, images) / seconds, ceiling(device, half)
    benchmark.extra_info.update(
        {
            "frames": len(images),
            "frames/s": len(images) / seconds,
            "FLOP/s": rate,
            "share of the matrix product": rate / large,
            "matrix product FLOP/s": large,
        }
    )
    if isinstance(backbone, ViT):
        rows, sizes = len(images) * tokens(backbone), (backbone.width, backbone.mlp_width)
        own = matmul_rate_at_shapes(rows, *sizes, device, half)
        benchmark.extra_info["share of its own products"] = rate / own


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", SIZES["small"].backbones)
def test_eager(
    benchmark: BenchmarkFixture, name: str, precision: str, sizes: Sizes, device: torch.device
) -> None:
    backbone = build(name, precision, sizes, device)
    images = frames(sizes.images, backbone, device)
    benchmark.group = f"{name} {sizes.backbones[name]['model']}"
    benchmark.extra_info["precision"] = precision
    benchmark.pedantic(encode(backbone, images, precision), rounds=10, warmup_rounds=2)
    report(benchmark, backbone, images)


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
    with block_execution(backbone, BlockLoop(compiler="inductor")):
        benchmark.pedantic(encode(backbone, images, precision), rounds=10, warmup_rounds=3)
    report(benchmark, backbone, images)
