import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.matchers.bi_mhm import BiMHM


def test_invariant_to_temporal_order() -> None:
    g = torch.Generator().manual_seed(0)
    query, prototypes = torch.randn(3, 8, 6, generator=g), torch.randn(1, 5, 2, 8, 6, generator=g)
    torch.testing.assert_close(BiMHM()(query.flip(1), prototypes), BiMHM()(query, prototypes))


def test_only_the_sum_scales_with_frames() -> None:
    assert BiMHM("sum").scales_with_frames
    assert not BiMHM("mean").scales_with_frames
    query, prototypes = torch.eye(4)[None], -torch.eye(4)[None, None, None]
    twice = query.repeat(1, 2, 1), prototypes.repeat(1, 1, 1, 2, 1)
    torch.testing.assert_close(BiMHM("sum")(*twice), 2 * BiMHM("sum")(query, prototypes))
    torch.testing.assert_close(BiMHM("mean")(*twice), BiMHM("mean")(query, prototypes))


def test_an_unknown_reduction_is_rejected() -> None:
    with pytest.raises(UserError, match=r"reduction is 'max' .*expected 'sum' or 'mean'"):
        BiMHM("max")  # type: ignore[arg-type]
