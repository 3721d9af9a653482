import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.matchers.trx import TRX


def features() -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(3, 6, 8, generator=g), torch.randn(1, 4, 2, 6, 8, generator=g)


def test_depends_on_temporal_order() -> None:
    torch.manual_seed(0)
    query, prototypes = features()
    matcher = TRX(8, key_dim=16).eval()
    assert not torch.allclose(matcher(query.flip(1), prototypes), matcher(query, prototypes))


def test_a_query_among_the_shots_is_nearest_to_its_class() -> None:
    torch.manual_seed(0)
    query, prototypes = features()
    prototypes[0, 2, 1] = query[0]
    assert TRX(8, key_dim=64).eval()(10 * query, 10 * prototypes)[0].argmax() == 2


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    matcher = TRX(8, key_dim=16, dropout=0.5)
    assert not torch.equal(matcher(*features()), matcher(*features()))
    matcher.eval()
    assert torch.equal(matcher(*features()), matcher(*features()))


def test_parameter_count_is_that_of_maps_of_concatenated_frames() -> None:
    """Keys and values of 2 and 3 frames, bias and norm of the keys."""
    matcher = TRX(512)
    want = 2 * (2 + 3) * 512 * 1152 + 2 * 3 * 1152
    assert sum(p.numel() for p in matcher.parameters()) == want


@pytest.mark.parametrize("cardinalities", [(), (0,), (2, 9)])
def test_sizes_of_tuples_must_fit_a_clip(cardinalities: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="cardinalities is"):
        TRX(8, cardinalities, frames=8)
