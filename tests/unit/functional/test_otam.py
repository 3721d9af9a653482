import pytest
import torch

from fsarbench.functional.otam import otam, otam_both_ways


@pytest.fixture
def distances() -> torch.Tensor:
    return 2 * torch.rand(3, 4, 6, 6, generator=torch.Generator().manual_seed(0))


def test_vmap_equals_the_batch(distances: torch.Tensor) -> None:
    mapped = torch.vmap(lambda d: otam_both_ways(d, 0.1))(distances)
    torch.testing.assert_close(mapped, otam_both_ways(distances, 0.1))
    gradient = torch.vmap(torch.func.grad(lambda d: otam_both_ways(d, 0.1).sum()))(distances)
    whole = torch.func.grad(lambda d: otam_both_ways(d, 0.1).sum())(distances)
    torch.testing.assert_close(gradient, whole)


def test_runs_on_the_meta_device() -> None:
    assert otam_both_ways(torch.empty(2, 3, 8, 5, device="meta"), 0.1).shape == (2, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(distances: torch.Tensor, dtype: torch.dtype) -> None:
    half = distances.to(dtype)
    assert torch.equal(otam(half, 0.01), otam(half.float(), 0.01))


def test_order_matters() -> None:
    """A frame sequence is more similar to itself than to its reverse."""
    ramp = torch.linspace(0, 1, 8)
    apart = (ramp[:, None] - ramp).abs()
    assert otam_both_ways(apart, 0.01) < otam_both_ways(apart.flip(0), 0.01)


def test_input_is_unchanged(distances: torch.Tensor) -> None:
    before = distances.clone()
    otam_both_ways(distances, 0.1)
    assert torch.equal(distances, before)
