import pytest
import torch

from fsarbench.episode import Outcome
from fsarbench.errors import UserError
from fsarbench.readouts.arithmetic_fusion import ArithmeticFusion
from fsarbench.readouts.geometric_fusion import GeometricFusion
from fsarbench.readouts.match_only import MatchOnly
from fsarbench.readouts.text_only import TextOnly
from tests.helpers.naive_cosine import cosines_with_term

N, K, Q, T, D = 3, 2, 4, 5, 16


def outcome(text: bool = True) -> Outcome:
    g = torch.Generator().manual_seed(0)
    logits, support = torch.randn(Q, N, generator=g), torch.randn(N, K, T, D, generator=g)
    query, names = torch.randn(Q, T, D, generator=g), torch.randn(N, 1, D, generator=g)
    return Outcome(logits, support, query, names if text else None)


def test_match_only_is_the_softmax_of_the_logits() -> None:
    scores = MatchOnly()(outcome(text=False))
    torch.testing.assert_close(scores, outcome().logits.softmax(-1))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_fusion_mixes_probabilities(alpha: float) -> None:
    seen = outcome()
    assert seen.text is not None
    cosines = torch.cosine_similarity(seen.query.mean(1)[:, None], seen.text[None, :, 0], dim=-1)
    want = alpha * (cosines / 0.1).softmax(-1) + (1 - alpha) * seen.logits.softmax(-1)
    got = ArithmeticFusion(alpha, temperature=0.1)(seen)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(got.sum(-1), torch.ones(Q))


def test_fusion_needs_text() -> None:
    with pytest.raises(UserError, match="text_encoder"):
        ArithmeticFusion()(outcome(text=False))


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_is_between_0_and_1(alpha: float) -> None:
    with pytest.raises(UserError, match="alpha"):
        ArithmeticFusion(alpha)


def test_temperature_must_be_positive() -> None:
    with pytest.raises(UserError, match="temperature"):
        ArithmeticFusion(temperature=-1.0)


def test_text_only_does_not_depend_on_the_matcher() -> None:
    seen = outcome()
    assert seen.text is not None
    cosines = torch.cosine_similarity(seen.query.mean(1)[:, None], seen.text[None, :, 0], dim=-1)
    got = TextOnly(0.1)(seen)
    torch.testing.assert_close(got, (cosines / 0.1).softmax(-1))
    other = Outcome(seen.logits + 5 * torch.eye(Q, N), seen.support, seen.query, seen.text)
    assert torch.equal(TextOnly(0.1)(other), got)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("per_frame", [True, False])
def test_geometric_fusion_multiplies_powers(alpha: float, per_frame: bool) -> None:
    seen = outcome()
    assert seen.text is not None
    cosines = torch.cosine_similarity(seen.query.mean(1)[:, None], seen.text[None, :, 0], dim=-1)
    by_text = (cosines / 0.5).softmax(-1)
    by_match = (seen.logits / (T if per_frame else 1)).softmax(-1)
    product = by_text**alpha * by_match ** (1 - alpha)
    got = GeometricFusion(alpha, 0.5, per_frame)(seen)
    torch.testing.assert_close(got, product / product.sum(-1, keepdim=True))


@pytest.mark.parametrize("kind", [TextOnly, ArithmeticFusion, GeometricFusion])
def test_a_term_is_added_to_the_product_of_norms(kind: type) -> None:
    seen = outcome()
    cosines = cosines_with_term(seen.query.mean(1), seen.text[:, 0], 0.5)
    got = kind(temperature=0.1, cosine_eps=0.5).explain(seen)["text"]
    torch.testing.assert_close(got, (cosines / 0.1).softmax(-1))


@pytest.mark.parametrize("kind", [TextOnly, GeometricFusion])
def test_text_readouts_need_text(kind: type) -> None:
    with pytest.raises(UserError, match="text_encoder"):
        kind()(outcome(text=False))
    with pytest.raises(UserError, match="temperature"):
        kind(temperature=0.0)


@pytest.mark.parametrize("alpha", [-0.1, 1.1])
def test_alpha_of_the_geometric_fusion_is_between_0_and_1(alpha: float) -> None:
    with pytest.raises(UserError, match="alpha"):
        GeometricFusion(alpha)
