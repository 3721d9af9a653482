"""Match explanations of every matcher cover every query, class and pair of frames."""

import pytest
import torch

from fsarbench.functional.pairwise import frame_cosines
from fsarbench.registry import SLOTS
from tests.helpers.combinations import FRAMES, QUERIES, WAY, features, matching, names

EXPLAINED = [name for name in names("matcher") if hasattr(SLOTS["matcher"].find(name), "explain")]


@pytest.mark.parametrize("prototypes", ["Mean", "EachShot"])
@pytest.mark.parametrize("matcher", EXPLAINED)
def test_an_explanation_has_a_cell_for_each_pair_of_frames(matcher: str, prototypes: str) -> None:
    build, match = matching(prototypes, matcher)
    built, query = build.eval()(*features())
    explanation = match.eval().explain(query, built)  # type: ignore[attr-defined]
    shape = (QUERIES, WAY, built.shape[2], FRAMES, FRAMES)
    assert explanation.similarity.shape == shape == frame_cosines(query, built).shape
    if explanation.weights is not None:
        assert explanation.weights.shape == shape
        assert torch.isfinite(explanation.weights).all()
        assert explanation.weights.min() > -1e-6
        # The explanation of a query does not depend on the other queries.
        single = match.explain(query[:1], built[:1])
        torch.testing.assert_close(single.weights, explanation.weights[:1], rtol=1e-4, atol=1e-5)
    for (q, n), links in explanation.links.items():
        assert 0 <= q < QUERIES
        assert 0 <= n < WAY
        for link in links:
            assert len(link.query) == len(link.frames)
            assert {*link.query, *link.frames} <= set(range(FRAMES))
            assert 0 <= link.prototype < built.shape[2]
