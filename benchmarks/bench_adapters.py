"""Time of every registered adapter on one ViT, relative to the frozen backbone in the same run.

Run without the shape checks, which take time::

    pytest -o addopts= benchmarks/bench_adapters.py

The support videos of a 5-way 1-shot task and as many or five times as many queries: forward in
evaluation mode, and forward with backward in training mode, in fp32. The lines
below the table have the times as multiples of the frozen backbone's, measured alternately with the
adapter's, and the trainable parameters.
"""

from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measure import Run, times
from benchmarks.parts import adapted, frames, registered
from benchmarks.sizes import Sizes
from fsarbench.interfaces import Backbone
from fsarbench.model import count_parameters
from fsarbench.profiling.timing import synchronize

Say = Callable[[str], None]


def step(backbone: Backbone, backward: bool, sizes: Sizes, device: torch.device) -> Run:
    """Run one call and wait until the device has finished."""
    videos = frames(sizes.videos * sizes.frames, backbone, device)
    videos = videos.unflatten(0, (sizes.videos, sizes.frames))
    generator = torch.Generator().manual_seed(0)
    text = torch.rand(sizes.videos, backbone.dim, generator=generator).to(device)
    text = text if backbone.uses_text else None
    backbone.train(backward)

    def run() -> None:
        with torch.set_grad_enabled(backward):
            features = backbone(videos, text)
        if features.requires_grad:
            features.square().sum().backward()
        synchronize(device)

    return run


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward and backward"])
@pytest.mark.parametrize("adapter", registered("adapter"))
def test_adapter(
    benchmark: BenchmarkFixture,
    say: Say,
    adapter: str,
    backward: bool,
    sizes: Sizes,
    device: torch.device,
    rounds: Callable[[int], int],
) -> None:
    backbone = adapted(adapter, sizes, device)
    run = step(backbone, backward, sizes, device)
    way = "forward and backward" if backward else "forward"
    benchmark.group = f"{sizes.vit['model']} on {device.type}, {way}"
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    # The frozen walk never goes backward; every adapter is held against its forward.
    plain = step(adapted("Frozen", sizes, device), False, sizes, device)
    own, least = times(run, plain, rounds=rounds(7))
    tuned = count_parameters(backbone, trainable=True)
    benchmark.extra_info.update({"tuned parameters": tuned, "times the frozen walk": own / least})
    say(f"{adapter}, {way}: {own / least:.2f} times the frozen backbone, {tuned:,} trainable")
