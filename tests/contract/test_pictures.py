"""The law of pictures: a matcher shows what it saw of every query, class and pair of frames."""

import pytest
import torch

from fsarbench.functional.pairwise import frame_cosines
from fsarbench.registry import SLOTS
from tests.helpers.combinations import FRAMES, QUERIES, WAY, features, matching, names

EXPLAINED = [name for name in names("matcher") if hasattr(SLOTS["matcher"].find(name), "explain")]


@pytest.mark.parametrize("prototypes", ["Mean", "EachShot"])
@pytest.mark.parametrize("matcher", EXPLAINED)
def test_a_picture_has_a_cell_for_each_pair_of_frames(matcher: str, prototypes: str) -> None:
    build, match = matching(prototypes, matcher)
    given, query = build.eval()(*features())
    picture = match.eval().explain(query, given)  # type: ignore[attr-defined]
    shape = (QUERIES, WAY, given.shape[2], FRAMES, FRAMES)
    assert picture.similarity.shape == shape == frame_cosines(query, given).shape
    if picture.weights is not None:
        assert picture.weights.shape == shape
        assert torch.isfinite(picture.weights).all()
        assert picture.weights.min() > -1e-6
        # A query's picture is its own.
        alone = match.explain(query[:1], given[:1])
        torch.testing.assert_close(alone.weights, picture.weights[:1], rtol=1e-4, atol=1e-5)
    for (q, n), links in picture.links.items():
        assert 0 <= q < QUERIES
        assert 0 <= n < WAY
        for link in links:
            assert len(link.query) == len(link.frames)
            assert {*link.query, *link.frames} <= set(range(FRAMES))
            assert 0 <= link.prototype < given.shape[2]
