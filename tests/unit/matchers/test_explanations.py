"""Explanations of an episode by matchers and readouts."""

import pytest
import torch
from torch import Tensor

from fsarbench.episode import Outcome
from fsarbench.explanation import ExplainsMatch, ExplainsScores
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import Matcher
from fsarbench.matchers.bi_mhm import BiMHM
from fsarbench.matchers.cross_transformer import CrossTransformer
from fsarbench.matchers.mean_cosine import MeanCosine
from fsarbench.matchers.otam import OTAM
from fsarbench.matchers.soft_dtw import SoftDTW
from fsarbench.matchers.trx import TRX
from fsarbench.readouts.arithmetic_fusion import ArithmeticFusion
from fsarbench.readouts.geometric_fusion import GeometricFusion
from fsarbench.readouts.match_only import MatchOnly
from fsarbench.readouts.text_only import TextOnly


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# Eight frames that have nothing in common, and a query that shows them in this order.
FRAMES = torch.eye(8, 16)
SHIFTED = FRAMES[[0, 0, 1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    "matcher", [OTAM(), OTAM(0.2, "one"), SoftDTW(), BiMHM(), CrossTransformer(16), TRX(16)]
)
@pytest.mark.parametrize("queries", [1, 3])
def test_explanations_have_the_shapes_of_the_slot(matcher: Matcher, queries: int) -> None:
    matcher.eval()
    query, prototypes = draw(3, 8, 16), draw(queries, 4, 2, 8, 16, seed=1)
    assert isinstance(matcher, ExplainsMatch)
    explained = matcher.explain(query, prototypes)
    assert torch.equal(explained.similarity, frame_cosines(query, prototypes))
    assert explained.weights is not None
    assert explained.weights.shape == (3, 4, 2, 8, 8)
    assert (explained.weights >= 0).all()
    assert explained.caption


def test_otam_shows_the_mean_of_both_directions() -> None:
    query, prototypes = draw(2, 6, 8), draw(1, 3, 1, 6, 8, seed=1)
    both = OTAM(0.1, "both", "paper").explain(query, prototypes).weights
    there = OTAM(0.1, "one", "paper").explain(query, prototypes).weights
    back = OTAM(0.1, "one", "paper").explain(prototypes[0, :, 0], query[None, :, None]).weights
    assert both is not None
    assert there is not None
    assert back is not None
    want = (there + back.permute(1, 0, 2, 4, 3)) / 2
    assert (both - want).abs().max() < 1e-6
    assert (there.sum(-2) - 1).abs().max() < 1e-5


def test_otam_follows_the_alignment_of_a_hand_made_episode() -> None:
    others = FRAMES.roll(8, 1)
    prototypes = torch.stack([others, FRAMES])[None, :, None]
    explained = OTAM(0.01).explain(SHIFTED[None], prototypes)
    assert explained.weights is not None
    right = explained.weights[0, 1, 0]
    for row, column in enumerate([0, 0, 1, 2, 3, 4, 5, 6]):
        assert right[row, column] > 0.4, (row, column)
    off = right.clone()
    off[range(8), [0, 0, 1, 2, 3, 4, 5, 6]] = 0
    off[:, 7] = 0  # the prototype's last frame, which the query never shows, has to go somewhere
    assert off.max() < 0.3
    assert OTAM(0.01)(SHIFTED[None], prototypes).argmax() == 1


def test_bi_mhm_shows_nearest_frames() -> None:
    explained = BiMHM().explain(SHIFTED[None], FRAMES[None, None, None])
    assert explained.weights is not None
    found = explained.weights[0, 0, 0]
    assert found[0, 0] == 1.0
    assert found[1, 0] == 0.5
    assert all(found[row, row - 1] == 1.0 for row in range(2, 8))
    # The sum of the least distances is the sum of the distances where the marks are.
    query, prototypes = draw(2, 5, 8), draw(1, 3, 1, 5, 8, seed=1)
    explained = BiMHM().explain(query, prototypes)
    marked = (2 * explained.weights * (1 - explained.similarity)).sum((-1, -2))[..., 0]
    assert (marked + BiMHM()(query, prototypes)).abs().max() < 1e-5


def test_trx_shows_its_strongest_tuples() -> None:
    trx = TRX(16, cardinalities=(2, 3), key_dim=8).eval()
    query, prototypes = draw(2, 6, 16), draw(1, 3, 2, 6, 16, seed=1)
    explained = trx.explain(query, prototypes)
    assert explained.weights is not None
    assert (explained.weights.sum((2, 4)) - 1).abs().max() < 1e-5
    attention = trx.attentions[0].attention(query, prototypes)  # type: ignore[operator]
    assert (attention.sum((-1, -2)) - 1).abs().max() < 1e-5
    links = explained.links[1, 2]
    assert len(links) == 5
    assert [link.weight for link in links] == sorted((x.weight for x in links), reverse=True)
    best = max(a.attention(query, prototypes)[1, 2].max().item() for a in trx.attentions)  # type: ignore[operator]
    assert links[0].weight == pytest.approx(best)
    tuples = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    for link in links:
        if len(link.query) == 2:
            place = tuples.index(link.query), link.prototype, tuples.index(link.frames)
            assert attention[1, 2][place].item() == pytest.approx(link.weight)


def test_trx_is_its_attention_applied_to_values() -> None:
    """The logits follow from the attention that is shown."""
    trx = TRX(16, cardinalities=(2,), key_dim=8).eval()
    only = trx.attentions[0]
    query, prototypes = draw(2, 5, 16), draw(1, 3, 1, 5, 16, seed=1)
    weights = only.attention(query, prototypes)[..., 0, :]  # type: ignore[operator]
    tuples = [(a, b) for a in range(5) for b in range(a + 1, 5)]

    def values(frames: Tensor) -> Tensor:
        mapped = only.value(frames).unflatten(-1, (2, -1))  # type: ignore[operator]
        return torch.stack([mapped[..., a, 0, :] + mapped[..., b, 1, :] for a, b in tuples], -2)

    from fsarbench.layers import sinusoids

    position = 0.1 * sinusoids(query)
    given = values(prototypes + position)[0, :, 0]
    query_values = values(query + position)
    attended = torch.einsum("qnuv,nvw->qnuw", weights, given)
    want = -(query_values[:, None] - attended).square().sum(-1).mean(-1)
    assert (trx(query, prototypes) - want).abs().max() < 1e-3


def test_a_matcher_without_explain_has_no_explanation() -> None:
    assert not isinstance(MeanCosine(), ExplainsMatch)
    assert not isinstance(MatchOnly(), ExplainsScores)


def test_readouts_show_their_terms() -> None:
    outcome = Outcome(draw(3, 4), draw(4, 1, 5, 8), draw(3, 5, 8), draw(4, 1, 8, seed=2))
    for readout in (ArithmeticFusion(0.3), GeometricFusion(0.3)):
        by = readout.explain(outcome)
        assert set(by) == {"text", "matcher"}
        assert all((scores.sum(-1) - 1).abs().max() < 1e-5 for scores in by.values())
    mixed = 0.3 * ArithmeticFusion(0.3).explain(outcome)["text"]
    mixed = mixed + 0.7 * ArithmeticFusion(0.3).explain(outcome)["matcher"]
    assert torch.equal(ArithmeticFusion(0.3)(outcome), mixed)
    powers = GeometricFusion(0.3).explain(outcome)
    product = powers["text"] ** 0.3 * powers["matcher"] ** 0.7
    product = product / product.sum(-1, keepdim=True)
    assert (GeometricFusion(0.3)(outcome) - product).abs().max() < 1e-6
    assert torch.equal(TextOnly().explain(outcome)["text"], TextOnly()(outcome))
