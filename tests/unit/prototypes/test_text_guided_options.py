import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.prototypes.text_guided import TextGuided

N, K, Q, T, D = 3, 2, 4, 5, 16


def inputs(*lead: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    shapes = (N, K, T, D), (Q, T, D), (N, 1, D)
    support, query, text = (torch.randn(*lead, *shape, generator=g) for shape in shapes)
    return support, query, text


def build(**options: object) -> TextGuided:
    torch.manual_seed(0)
    return TextGuided(D, **options)  # type: ignore[arg-type]


def test_text_changes_prototypes_and_never_queries() -> None:
    support, query, text = inputs()
    builder = build()
    with_text, without = builder(support, query, text), builder(support, query, text + 1)
    assert not torch.allclose(with_text[0], without[0])
    assert torch.equal(with_text[1], without[1])


def test_where_the_shots_are_merged_matters_only_for_several() -> None:
    support, query, text = inputs()
    before, after = build(merge="before"), build(merge="after")
    torch.testing.assert_close(
        before(support[:, :1], query, text)[0], after(support[:, :1], query, text)[0]
    )
    assert not torch.allclose(before(support, query, text)[0], after(support, query, text)[0])


def test_hidden_width_is_four_times_the_width_unless_given() -> None:
    assert build().layer.feed_forward.widen.out_features == 4 * D
    assert build(hidden=24).layer.feed_forward.widen.out_features == 24


def test_dropout_acts_in_training_only() -> None:
    support, query, text = inputs()
    builder = build(dropout=0.5)
    assert not torch.equal(builder(support, query, text)[1], builder(support, query, text)[1])
    builder.eval()
    assert torch.equal(builder(support, query, text)[1], builder(support, query, text)[1])


def test_vmap_over_episodes_equals_the_loop_in_training_mode() -> None:
    stacked, builder = inputs(3), build().train()
    want = [builder(*episode) for episode in zip(*stacked, strict=True)]
    got = torch.vmap(builder)(*stacked)
    torch.testing.assert_close(got[0], torch.stack([prototypes for prototypes, _ in want]))
    torch.testing.assert_close(got[1], torch.stack([matched for _, matched in want]))


def test_rejects_missing_text() -> None:
    support, query, _ = inputs()
    with pytest.raises(UserError, match="text_encoder"):
        build()(support, query, None)


def test_rejects_text_of_another_width() -> None:
    support, query, _ = inputs()
    with pytest.raises(UserError, match=r"width 8 .* width 16"):
        TextGuided(D, text_dim=8)
    with pytest.raises(UserError, match=r"width 8 .* width 16"):
        build()(support, query, torch.ones(N, 1, 8))


def test_rejects_heads_that_do_not_divide_the_width() -> None:
    with pytest.raises(UserError, match="heads=5"):
        build(heads=5)


@pytest.mark.parametrize("option", ["norm", "merge"])
def test_rejects_an_unknown_option(option: str) -> None:
    with pytest.raises(UserError, match=f"{option} is 'none'"):
        TextGuided(D, **{option: "none"})
