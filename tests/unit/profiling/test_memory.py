"""Memory of tensors against sums done by hand, and against torch's own tracker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.optim import AdamW

from fsarbench.profiling.memory import MemoryTracker

ROWS, WIDE = 1000, 64
FLOAT = 4


def chain(device: str) -> tuple[nn.Module, Tensor]:
    """Three square maps without biases, and what enters them."""
    maps = [nn.Linear(WIDE, WIDE, bias=False, device=device) for _ in range(3)]
    return nn.Sequential(*maps), torch.ones(ROWS, WIDE, device=device)


def test_inference_holds_what_enters_and_what_leaves_a_layer() -> None:
    model, rows = chain("meta")
    with torch.no_grad(), MemoryTracker() as ledger:
        ledger.hold(model.parameters(), "weights")
        ledger.hold([rows], "inputs")
        model(rows)
    layer = ROWS * WIDE * FLOAT
    assert ledger.peak == {
        "weights": 3 * WIDE**2 * FLOAT,
        "inputs": layer,
        "activations": 2 * layer,
    }


def test_training_keeps_what_enters_each_layer() -> None:
    model, rows = chain("meta")
    with MemoryTracker() as ledger:
        ledger.hold(model.parameters(), "weights")
        ledger.hold([rows], "inputs")
        model(rows).sum().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        ledger.hold(gradients, "gradients")
    # In the backward pass of the second layer: what entered it and the third, the gradients of its
    # output and input; the third layer's weight has its gradient, the second's is being made.
    layer, weight = ROWS * WIDE * FLOAT, WIDE**2 * FLOAT
    scalars = ledger.peak["activations"] - 3 * layer
    assert 0 <= scalars <= 2 * weight + 2 * FLOAT
    assert ledger.live["gradients"] == 3 * weight
    assert ledger.peak["inputs"] == layer


def test_what_nobody_holds_is_struck() -> None:
    with MemoryTracker() as ledger:
        kept = torch.ones(10, device="meta")
        view = kept[2:]
        torch.ones(1000, device="meta")
        del kept
        assert ledger.live.total() == 40, "the view keeps its whole storage"
        del view
    assert ledger.live.total() == 0
    assert ledger.peak == {"activations": 4040}


def test_kinds_move() -> None:
    with MemoryTracker() as ledger:
        with ledger.born_as("optimiser"):
            moment = torch.zeros(3)
        assert ledger.live["optimiser"] == 12
        ledger.hold([moment], "gradients")
    assert (ledger.live["optimiser"], ledger.live["gradients"]) == (0, 12)


def small_vit() -> nn.Module:
    options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
    return nn.Sequential(*(nn.TransformerEncoderLayer(64, 4, 256, **options) for _ in range(2)))


def two_steps(
    model: nn.Module, optimiser: AdamW, rows: Tensor, between: Callable[..., object]
) -> None:
    for _ in range(2):
        model(rows).square().sum().backward()
        with between():
            optimiser.step()
        optimiser.zero_grad()


def by_ledger() -> int:
    model, rows = small_vit(), torch.ones(8, 50, 64)
    optimiser = AdamW(model.parameters(), fused=True)
    with MemoryTracker() as ledger:
        ledger.hold(model.parameters(), "weights")
        ledger.hold([rows], "inputs")
        two_steps(model, optimiser, rows, partial(ledger.born_as, "optimiser"))
    weights = sum(p.numel() for p in model.parameters()) * FLOAT
    assert ledger.peak["weights"] == weights
    # Two moments, and the count of steps of each parameter.
    assert ledger.peak["optimiser"] == pytest.approx(2 * weights, rel=0.01)
    return sum(ledger.peak.values())


def test_tensors_without_numbers_take_as_much_as_real_ones() -> None:
    real = by_ledger()
    with FakeTensorMode():
        assert by_ledger() == real


@contextmanager
def stepping(tracker: Any) -> Iterator[None]:
    """Torch's tracker takes each module once between two resets."""
    yield
    tracker.reset_mod_stats()


def test_torchs_own_tracker_agrees() -> None:
    """`MemTracker` is private to torch: where it is gone, nothing else of the project misses it."""
    tracker_module = pytest.importorskip("torch.distributed._tools.mem_tracker")
    with FakeTensorMode():
        ours = by_ledger()
        model, rows = small_vit(), torch.ones(8, 50, 64)
        optimiser = AdamW(model.parameters(), fused=True)
        tracker = tracker_module.MemTracker()
        tracker.track_external(model, optimiser, rows)
        with tracker as following:
            two_steps(model, optimiser, rows, partial(stepping, following))
        theirs = following.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    assert ours == pytest.approx(theirs, rel=0.01)
