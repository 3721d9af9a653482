"""MPL: prototypes guided by the match with the queries (CVPR 2026)."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.arguments.value_rules import PositiveInt, ShareWithZero
from fsarbench.functional.hausdorff import sum_hausdorff
from fsarbench.functional.pairwise import frame_cosines
from fsarbench.interfaces import PrototypeBuilder
from fsarbench.layers import (
    LayerAsReleased,
    MultiHeadAttention,
    draw_by_head_width,
    dropout_layer,
)
from fsarbench.registry import PROTOTYPES

KeyFrames = Literal["released", "matched"]
Queries = Literal["together", "alone"]


@PROTOTYPES.register_module()
class MatchGuided(PrototypeBuilder):
    """Match-guided prototype learning (MPL, CVPR 2026), in the form of the released code.

    Every support video is enhanced by the frames of the queries nearest to it. The shots of a class
    attend to each other in windows of frames, and the frames of a prototype attend to each other.
    Then the frames of a match (key frames) are averaged into one token per class and per query;
    these tokens attend to each other and stand before the frames. The matcher is BiMHM.

    Args:
        dim: Feature width D.
        heads: Number of attention heads, a divisor of `dim`.
        hidden: Hidden width of the feed-forward network; 2048 in the authors' code for every `dim`.
        window: Frames per window of the attention across shots; a longer one than the video is the
            whole video. 1 in the authors' code.
        neighbours: Queries that enhance a support video; all if there are fewer. With 1 its weight
            is 1. With more, the i-th nearest has the difference between the i-th largest and the
            i-th smallest distance, and the weights have the L2 norm 1.
        key_frames: Which key frames are averaged. `matched`: the frames of the prototype that are
            nearest to a frame of a query, and the reverse. `released`: the authors' code swaps the
            two indices, so that the positions found in one video select frames of the other.
        queries: `together` as in the authors' code: all queries of the episode enhance the support,
            and tokens are averaged over and attend to all of them. `alone`: each query has its own
            prototypes and none is enhanced, because the weight of the only query would be 0.
        dropout: Dropout rate; None takes the rates of the authors' code: 0.1 for the weights and
            0.2 for the output of the attention across shots, 0.1 after the other attention, 0.05
            in the feed-forward network.

    Raises:
        UserError: `heads` does not divide `dim`.

    Example:
        >>> support, query = torch.ones(5, 3, 8, 4), torch.ones(2, 8, 4)
        >>> prototypes, matched = MatchGuided(4, heads=2)(support, query, None)
        >>> prototypes.shape, matched.shape
        (torch.Size([1, 5, 1, 9, 4]), torch.Size([2, 9, 4]))
    """

    def __init__(
        self,
        dim: int,
        heads: PositiveInt = 8,
        hidden: PositiveInt = 2048,
        window: PositiveInt = 1,
        neighbours: PositiveInt = 1,
        key_frames: KeyFrames = "released",
        queries: Queries = "together",
        dropout: ShareWithZero | None = None,
    ) -> None:
        super().__init__()
        self.window, self.neighbours = window, neighbours
        self.matched, self.together = key_frames == "matched", queries == "together"
        rates = (0.1, 0.2, 0.1, 0.05) if dropout is None else (dropout,) * 4
        self.across_shots = MultiHeadAttention(dim, heads, bias=False, dropout=rates[0])
        draw_by_head_width(self.across_shots)
        self.dropout, self.norm = dropout_layer(rates[1]), nn.LayerNorm(dim)
        self.layer = LayerAsReleased(dim, heads, hidden, *rates[2:])

    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S2 F"], Float[Tensor, "Q S2 F"]]:
        """One prototype per class, and per query if alone; text is unused.

        Prototypes and queries begin with the token of their key frames, then follow T frames.
        """
        del text
        if self.together:
            support = support + self._nearest_queries(support, query)
        plain = support.mean(1) + self._across_shots(support)
        classes = self.layer(plain, plain)
        class_keys, query_keys = self._key_frames(plain, classes, query)
        if self.together:
            class_keys, query_keys = class_keys.mean(0, keepdim=True), query_keys[None]
        else:
            query_keys = query_keys[:, None]
        # "B L D": all queries and all classes, or, for each query, itself and all classes.
        tokens = torch.cat([query_keys, class_keys], dim=1)
        related = self.layer(tokens, tokens)
        count = query_keys.shape[1]
        query_tokens = related[:, :count].reshape(len(query), -1) + query.mean(1)
        class_tokens = related[:, count:] + classes.mean(1)
        frames = classes.expand(len(class_tokens), -1, -1, -1)
        prototypes = torch.cat([class_tokens[:, :, None], frames], dim=2)
        return prototypes[:, :, None], torch.cat([query_tokens[:, None], query], dim=1)

    def output_frames(self, frames: int) -> int:
        """The token of the key frames and the frames."""
        return frames + 1

    def _nearest_queries(
        self, support: Float[Tensor, "N K T D"], query: Float[Tensor, "Q T D"]
    ) -> Float[Tensor, "N K T D"]:
        """Weighted sum of the frames of the queries nearest to each support video."""
        distances = sum_hausdorff(1 - frame_cosines(query, support[None]))  # "Q N K"
        count = min(self.neighbours, len(query))
        near, indices = distances.topk(count, dim=0, largest=False)
        far = distances.topk(count, dim=0).values
        weights = F.normalize(far - near, dim=0)
        share = torch.zeros_like(distances).scatter(0, indices, weights)
        return torch.einsum("qnk,qtd->nktd", share, query)

    def _across_shots(self, support: Float[Tensor, "N K T D"]) -> Float[Tensor, "N T D"]:
        """Mean over shots and windows of the frames after attention within their window."""
        shots, frames = support.shape[1:3]
        size = min(self.window, frames)
        count = frames - size + 1
        windows = torch.stack([support[:, :, i : i + count] for i in range(size)], dim=3)
        tokens = windows.transpose(1, 2).flatten(2, 3)  # "N W K*size D"
        attended = self.norm(tokens + self.dropout(self.across_shots(tokens, tokens)))
        places = attended.unflatten(2, (shots, size)).mean(2)  # "N W size D"
        shifted = [F.pad(places[:, :, i], (0, 0, i, size - 1 - i)) for i in range(size)]
        covering = [min(t, count - 1) - max(0, t - size + 1) + 1 for t in range(frames)]
        total = torch.stack(shifted).sum(0)
        return total / torch.tensor(covering, dtype=total.dtype, device=total.device)[:, None]

    def _key_frames(
        self,
        plain: Float[Tensor, "N T D"],
        classes: Float[Tensor, "N T D"],
        query: Float[Tensor, "Q T D"],
    ) -> tuple[Float[Tensor, "Q N D"], Float[Tensor, "Q D"]]:
        """Mean key frames of every class for each query, and of every query.

        Args:
            plain: Prototypes that are matched with the queries.
            classes: Prototypes whose key frames are averaged.
            query: Frames of the queries.
        """
        cosines = frame_cosines(query, plain[None, :, None])[:, :, 0]  # "Q N T S"
        of_classes = shares(cosines.argmax(-1), plain.shape[1], query.dtype)
        of_queries = shares(cosines.argmax(-2), query.shape[1], query.dtype)
        if not self.matched:
            of_classes, of_queries = of_queries, of_classes
        class_keys = torch.einsum("qnt,ntd->qnd", of_classes, classes)
        return class_keys, torch.einsum("qt,qtd->qd", of_queries.mean(1), query)


def shares(indices: Int[Tensor, "*B L"], count: int, dtype: torch.dtype) -> Float[Tensor, "*B S"]:
    """How often each of `count` indices occurs along the last axis, as a share.

    Example:
        >>> shares(torch.tensor([0, 2, 2, 0]), 3, torch.float32)
        tensor([0.5000, 0.0000, 0.5000])
    """
    chosen = indices[..., None] == torch.arange(count, device=indices.device)
    return chosen.to(dtype).mean(-2)
