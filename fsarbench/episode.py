"""Few-shot episode and the output of a model for it.

Axes, with the same letters in the whole project:

| axis | meaning | axis | meaning |
|---|---|---|---|
| N | way: classes of an episode | T | frames of a clip |
| K | shot: support videos per class | H, W | pixels |
| Q | queries of the whole episode | L | tokens of a frame |
| V | videos of one call | C | token width of the backbone |
| P | prototypes per class | D | feature width |
| M | classes of a split | E | text feature width |

The support set is class-major: the first index of a support video is its label.
"""

from dataclasses import dataclass

from jaxtyping import Float, Int, Num
from torch import Tensor


@dataclass(frozen=True)
class Episode:
    """One N-way K-shot episode.

    Attributes:
        support: Frames of the support videos, uint8 or floats in [0, 1].
        query: Frames of the query videos, uint8 or floats in [0, 1].
        labels: Class of each query, as an index into the episode's classes (0 to N - 1).
        classes: Index of each of the N classes in its split.
        names: Readable names of the N classes, for prompts.
        text: Text features of the N classes; None if they are not computed yet, or not used.
        bank: Text features of all M classes of the split, indexed by `classes`; None without a
            text encoder, or if the text encoder is trainable.
    """

    support: Num[Tensor, "N K T 3 H W"]
    query: Num[Tensor, "Q T 3 H W"]
    labels: Int[Tensor, " Q"]
    classes: Int[Tensor, " N"]
    names: tuple[str, ...] = ()
    text: Float[Tensor, "N E"] | None = None
    bank: Float[Tensor, "M E"] | None = None


@dataclass(frozen=True)
class Outcome:
    """Model output for one episode.

    Attributes:
        logits: Matcher's score of every query for every class; larger means more similar.
        support: Support features from the backbone, before the prototype builder.
        query: Query features from the backbone, before the prototype builder.
        text: Text features of the N classes; None without a text encoder.
    """

    logits: Float[Tensor, "Q N"]
    support: Float[Tensor, "N K S D"]
    query: Float[Tensor, "Q S D"]
    text: Float[Tensor, "N E"] | None = None
