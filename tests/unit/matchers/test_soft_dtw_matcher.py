import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.functional.soft_dtw import soft_dtw
from fsarbench.matchers.soft_dtw import SoftDTW


def test_depends_on_temporal_order() -> None:
    query = torch.randn(1, 8, 6, generator=torch.Generator().manual_seed(0))
    itself, reversed_ = (SoftDTW()(query, p[None, None]) for p in (query, query.flip(1)))
    assert itself.item() > reversed_.item()


def test_vmap_equals_the_batch() -> None:
    distances = 2 * torch.rand(3, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    mapped = torch.vmap(lambda d: soft_dtw(d, 0.1))(distances)
    torch.testing.assert_close(mapped, soft_dtw(distances, 0.1))


def test_half_precision_is_summed_in_float32() -> None:
    half = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0)).bfloat16()
    assert torch.equal(soft_dtw(half, 0.01), soft_dtw(half.float(), 0.01))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(UserError, match="temperature"):
        SoftDTW(temperature)
