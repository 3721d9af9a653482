import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.prototypes.semantic_modulation import SemanticModulation

N, K, Q, T, D = 3, 2, 4, 5, 16


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    shapes = (N, K, T, D), (Q, T, D), (N, 1, D)
    support, query, text = (torch.randn(shape, generator=g) for shape in shapes)
    return support, query, text


def build(**options: object) -> SemanticModulation:
    torch.manual_seed(0)
    return SemanticModulation(D, **options).eval()  # type: ignore[arg-type]


def test_text_changes_prototypes_and_never_queries() -> None:
    support, query, text = inputs()
    builder = build()
    with_text, other = builder(support, query, text), builder(support, query, text.flip(0))
    assert not torch.allclose(with_text[0], other[0])
    assert torch.equal(with_text[1], other[1])


def test_where_the_shots_are_merged_matters_only_for_several() -> None:
    support, query, text = inputs()
    before, after = build(merge="before"), build(merge="after")
    one = support[:, :1]
    torch.testing.assert_close(before(one, query, text)[0], after(one, query, text)[0])
    assert not torch.allclose(before(support, query, text)[0], after(support, query, text)[0])


def test_parameters_at_the_width_of_clip() -> None:
    """One layer: attention, feed-forward network of 2048, two norms."""
    want = 4 * (512**2 + 512) + 2 * 512 * 2048 + 2048 + 512 + 4 * 512
    assert sum(p.numel() for p in SemanticModulation(512).parameters()) == want


def test_dropout_acts_in_training_only() -> None:
    support, query, text = inputs()
    builder = build().train()
    assert not torch.equal(builder(support, query, text)[1], builder(support, query, text)[1])
    builder.eval()
    assert torch.equal(builder(support, query, text)[1], builder(support, query, text)[1])


def test_rejects_missing_text() -> None:
    support, query, _ = inputs()
    with pytest.raises(UserError, match="text_encoder"):
        build()(support, query, None)


def test_rejects_text_of_another_width() -> None:
    support, query, _ = inputs()
    with pytest.raises(UserError, match=r"width 8 .* width 16"):
        SemanticModulation(D, text_dim=8)
    with pytest.raises(UserError, match=r"width 8 .* width 16"):
        build()(support, query, torch.ones(N, 1, 8))


def test_rejects_unknown_options() -> None:
    with pytest.raises(UserError, match="depth is 0"):
        build(depth=0)
    with pytest.raises(UserError, match="merge is 'never'"):
        build(merge="never")
