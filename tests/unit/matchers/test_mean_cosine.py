import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.matchers.mean_cosine import MeanCosine


def features() -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(3, 8, 6, generator=g), torch.randn(1, 5, 2, 8, 6, generator=g)


def test_mean_over_prototypes_of_the_cosines_over_temperature() -> None:
    query, prototypes = features()
    pooled = prototypes.mean(3)
    want = torch.cosine_similarity(query.mean(1)[:, None, None], pooled, dim=-1).mean(-1) / 0.5
    torch.testing.assert_close(MeanCosine(0.5)(query, prototypes), want)


def test_invariant_to_temporal_order() -> None:
    query, prototypes = features()
    matcher = MeanCosine()
    torch.testing.assert_close(matcher(query.flip(1), prototypes), matcher(query, prototypes))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(UserError, match="temperature"):
        MeanCosine(temperature)
