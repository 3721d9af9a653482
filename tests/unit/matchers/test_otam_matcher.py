import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.matchers.otam import OTAM


def features() -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(3, 8, 6, generator=g), torch.randn(1, 5, 2, 8, 6, generator=g)


def test_depends_on_temporal_order() -> None:
    query = features()[0][:1]
    matcher = OTAM()
    itself, reversed_ = (matcher(query, p[None, None]) for p in (query, query.flip(1)))
    assert itself.item() > reversed_.item()


def test_shots_are_aligned_separately() -> None:
    query, prototypes = features()
    matcher = OTAM()
    per_shot = [matcher(query, prototypes[:, :, p : p + 1]) for p in range(2)]
    torch.testing.assert_close(matcher(query, prototypes), (per_shot[0] + per_shot[1]) / 2)


def test_one_set_for_all_queries_equals_the_set_repeated() -> None:
    query, prototypes = features()
    repeated = prototypes.expand(3, -1, -1, -1, -1)
    torch.testing.assert_close(OTAM()(query, prototypes), OTAM()(query, repeated))


def test_vmap_over_episodes_equals_the_loop() -> None:
    g = torch.Generator().manual_seed(0)
    query, prototypes = (
        torch.randn(4, 3, 8, 6, generator=g),
        torch.randn(4, 1, 5, 1, 8, 6, generator=g),
    )
    matcher = OTAM()
    want = torch.stack([matcher(q, p) for q, p in zip(query, prototypes, strict=True)])
    torch.testing.assert_close(torch.vmap(matcher)(query, prototypes), want)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(UserError, match="temperature"):
        OTAM(temperature)


def test_an_unknown_direction_is_rejected() -> None:
    with pytest.raises(UserError, match=r"directions is 'three' .*expected 'both' or 'one'"):
        OTAM(directions="three")  # type: ignore[arg-type]
