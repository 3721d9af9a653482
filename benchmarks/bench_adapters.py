"""The time of every registered adapter on one ViT, beside the plain walk in the same run.

Run without the shape contracts, which cost time::

    pytest -o addopts= benchmarks/bench_adapters.py

The videos of a 5-way 1-shot task with 2 queries (7 videos of 8 frames): forward in evaluation mode,
and forward with backward in training mode. The model is the small `fsarbench-tiny` on a CPU and
CLIP's ViT-B/16 on a GPU, both with random weights. Below the table stand the times as multiples of
the frozen walk's, which takes turns with the adapter, and the tuned parameters.
"""

from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measure import Run, times
from fsarbench.assembly import adapt
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.cards import cards
from fsarbench.model import count

VIDEOS, FRAMES = 7, 8
Say = Callable[[str], None]
ADAPTERS = [card.name for card in cards() if card.slot == "adapter"]
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MODEL = "ViT-B-16" if DEVICE.type == "cuda" else "fsarbench-tiny"


def build(adapter: str) -> OpenClipViT:
    """The backbone with one kind of adapter on all blocks."""
    torch.manual_seed(0)
    backbone = OpenClipViT(MODEL)
    sizes = {
        "width": backbone.width,
        "prefix": backbone.prefix,
        "mlp_width": backbone.mlp_width,
        "block_count": backbone.depth,
        "frames": FRAMES,
        "text_dim": backbone.dim,
    }
    adapt(backbone, {"type": adapter}, sizes)
    return backbone.to(DEVICE)


def step(backbone: OpenClipViT, backward: bool) -> Run:
    """One call, finished on the device when it returns."""
    generator = torch.Generator().manual_seed(0)
    size = backbone.image_size
    frames = torch.rand(VIDEOS, FRAMES, 3, size, size, generator=generator).to(DEVICE)
    text = torch.rand(VIDEOS, backbone.dim, generator=generator).to(DEVICE)
    text = text if backbone.uses_text else None
    backbone.train(backward)

    def run() -> None:
        with torch.set_grad_enabled(backward):
            features = backbone(frames, text)
        if features.requires_grad:
            features.square().sum().backward()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return run


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward and backward"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapter(benchmark: BenchmarkFixture, say: Say, adapter: str, backward: bool) -> None:
    backbone = build(adapter)
    run = step(backbone, backward)
    way = "forward and backward" if backward else "forward"
    benchmark.group = f"{MODEL} on {DEVICE.type}, {way}"
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    # The frozen walk never goes backward; every adapter is held against its forward.
    own, plain = times(run, step(build("Frozen"), backward=False))
    tuned = count(backbone, tuned=True)
    benchmark.extra_info.update({"tuned parameters": tuned, "times the frozen walk": own / plain})
    say(f"{adapter}, {way}: {own / plain:.2f} times the frozen walk, {tuned:,} tuned")
