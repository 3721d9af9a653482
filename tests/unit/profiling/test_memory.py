"""Tracked memory equals sums calculated by hand and the tracker of torch."""

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

ROWS, WIDTH = 1000, 64
FLOAT = 4


def chain(device: str) -> tuple[nn.Module, Tensor]:
    """Three square linear layers without biases, and their input."""
    layers = [nn.Linear(WIDTH, WIDTH, bias=False, device=device) for _ in range(3)]
    return nn.Sequential(*layers), torch.ones(ROWS, WIDTH, device=device)


def test_inference_holds_input_and_output_of_one_layer() -> None:
    model, rows = chain("meta")
    with torch.no_grad(), MemoryTracker() as tracker:
        tracker.register(model.parameters(), "weights")
        tracker.register([rows], "inputs")
        model(rows)
    layer = ROWS * WIDTH * FLOAT
    assert tracker.peak == {
        "weights": 3 * WIDTH**2 * FLOAT,
        "inputs": layer,
        "activations": 2 * layer,
    }


def test_training_holds_the_input_of_each_layer() -> None:
    model, rows = chain("meta")
    with MemoryTracker() as tracker:
        tracker.register(model.parameters(), "weights")
        tracker.register([rows], "inputs")
        model(rows).sum().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        tracker.register(gradients, "gradients")
    # The peak is in the backward pass of the second layer, which holds the inputs of the second and
    # third layer, the gradients of the output and input of the second layer, the gradient of the
    # third weight, and that of the second weight, which is being computed.
    layer, weight = ROWS * WIDTH * FLOAT, WIDTH**2 * FLOAT
    scalars = tracker.peak["activations"] - 3 * layer
    assert 0 <= scalars <= 2 * weight + 2 * FLOAT
    assert tracker.live["gradients"] == 3 * weight
    assert tracker.peak["inputs"] == layer


def test_freed_tensors_are_removed() -> None:
    with MemoryTracker() as tracker:
        tensor = torch.ones(10, device="meta")
        view = tensor[2:]
        torch.ones(1000, device="meta")
        del tensor
        assert tracker.live.total() == 40, "the view keeps its whole storage"
        del view
    assert tracker.live.total() == 0
    assert tracker.peak == {"activations": 4040}


def test_a_tensor_can_change_its_kind() -> None:
    with MemoryTracker() as tracker:
        with tracker.new_tensors_as("optimiser"):
            moment = torch.zeros(3)
        assert tracker.live["optimiser"] == 12
        tracker.register([moment], "gradients")
    assert (tracker.live["optimiser"], tracker.live["gradients"]) == (0, 12)


def small_vit() -> nn.Module:
    options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
    return nn.Sequential(*(nn.TransformerEncoderLayer(64, 4, 256, **options) for _ in range(2)))


def two_steps(
    model: nn.Module, optimiser: AdamW, rows: Tensor, step_context: Callable[..., object]
) -> None:
    for _ in range(2):
        model(rows).square().sum().backward()
        with step_context():
            optimiser.step()
        optimiser.zero_grad()


def tracked_peak() -> int:
    model, rows = small_vit(), torch.ones(8, 50, 64)
    optimiser = AdamW(model.parameters(), fused=True)
    with MemoryTracker() as tracker:
        tracker.register(model.parameters(), "weights")
        tracker.register([rows], "inputs")
        two_steps(model, optimiser, rows, partial(tracker.new_tensors_as, "optimiser"))
    weights = sum(p.numel() for p in model.parameters()) * FLOAT
    assert tracker.peak["weights"] == weights
    # Two moments, and the step counter of each parameter.
    assert tracker.peak["optimiser"] == pytest.approx(2 * weights, rel=0.01)
    return sum(tracker.peak.values())


def test_fake_tensors_have_the_same_peak_as_real_tensors() -> None:
    real = tracked_peak()
    with FakeTensorMode():
        assert tracked_peak() == real


@contextmanager
def stepping(tracker: Any) -> Iterator[None]:
    """Reset the tracker of torch, which allows one forward pass per module between resets."""
    yield
    tracker.reset_mod_stats()


def test_the_tracker_of_torch_agrees() -> None:
    """`MemTracker` is private to torch and may be missing in other versions."""
    tracker_module = pytest.importorskip("torch.distributed._tools.mem_tracker")
    with FakeTensorMode():
        ours = tracked_peak()
        model, rows = small_vit(), torch.ones(8, 50, 64)
        optimiser = AdamW(model.parameters(), fused=True)
        tracker = tracker_module.MemTracker()
        tracker.track_external(model, optimiser, rows)
        with tracker as following:
            two_steps(model, optimiser, rows, partial(stepping, following))
        theirs = following.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    assert ours == pytest.approx(theirs, rel=0.01)
