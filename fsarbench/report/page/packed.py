"""What a method saw in an episode, as small plain data that the page's script draws."""

import base64
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from fsarbench.explanation import Link, Picture
from fsarbench.report.html.explanations import Seen


def packed(seen: Seen, queries: Sequence[int]) -> dict[str, Any]:
    """The scores of some queries, and the picture.

    Args:
        seen: All of the episode.
        queries: Those that are shown, by number.
    """
    rows = list(queries)
    return {
        "scores": _rounded(seen.scores[rows]),
        "parts": {name: _rounded(scores[rows]) for name, scores in seen.parts.items()},
        "picture": None if seen.picture is None else packed_picture(seen.picture, rows),
    }


def packed_picture(picture: Picture, queries: list[int]) -> dict[str, Any]:
    """A picture with its numbers as bytes: one string a query, over classes and prototypes."""
    similarity = picture.similarity[queries].float().cpu()
    low, high = float(similarity.min()), float(similarity.max())
    found: dict[str, Any] = {
        "caption": picture.caption,
        "shape": list(similarity.shape[1:]),
        "low": round(low, 4),
        "high": round(high, 4),
        "similarity": [_bytes(one, low, high) for one in similarity],
        "links": [[_links(picture, q, n) for n in range(similarity.shape[1])] for q in queries],
    }
    if picture.weights is not None:
        weights = picture.weights[queries].float().cpu()
        # A weight of 1 is a whole frame; attention over many frames stays far below that.
        most = float(weights.max())
        found |= {"most": round(most, 4), "weights": [_bytes(one, 0.0, most) for one in weights]}
    return found


def _links(picture: Picture, query: int, of: int) -> list[list[Any]]:
    def plain(link: Link) -> list[Any]:
        return [list(link.query), link.prototype, list(link.frames), round(link.weight, 3)]

    return [plain(link) for link in picture.links.get((query, of), ())]


def _bytes(values: Float[Tensor, "*any"], low: float, high: float) -> str:
    share = (values - low) / max(high - low, 1e-12)
    return base64.b64encode(
        bytes((255 * share).round().clamp(0, 255).flatten().byte().tolist())
    ).decode()


def _rounded(scores: Float[Tensor, "Q N"]) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in scores.float().cpu().tolist()]
