import torch

from fsarbench.functional.tuples import membership, ordered_tuples, squared_norms


def test_products_of_tuples_are_sums_over_positions() -> None:
    frames = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))  # T, places, width
    members = membership(4, 3, frames)
    whole = torch.stack([sum(frames[t, p] for p, t in enumerate(c)) for c in ordered_tuples(4, 3)])
    torch.testing.assert_close(members @ frames.flatten(0, 1), whole)
    torch.testing.assert_close(squared_norms(frames.flatten(0, 1), members), whole.square().sum(-1))


def test_tuples_are_in_temporal_order() -> None:
    assert len(ordered_tuples(8, 3)) == 56
    assert all(list(frames) == sorted(set(frames)) for frames in ordered_tuples(8, 3))
