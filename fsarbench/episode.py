"""One few-shot task and what a model says of it.

The axes, everywhere in the project:

| axis | meaning | axis | meaning |
|---|---|---|---|
| N | way: classes of an episode | T | frames of a clip |
| K | shot: support videos a class | H, W | pixels |
| Q | queries of the whole episode | L | tokens of a frame |
| V | videos of one call | C | token width of the backbone |
| P | prototypes a class | D | feature width |
| M | classes of a split | E | text feature width |

The support set is class-major, so a support video's first index is its label.
"""

from dataclasses import dataclass

from jaxtyping import Float, Int, Num
from torch import Tensor


@dataclass(frozen=True)
class Episode:
    """One N-way K-shot task.

    Attributes:
        support: Frames of the support videos, uint8 or floats in [0, 1].
        query: Frames of the query videos, in the same form.
        labels: The index in the episode (0 to N - 1) of each query's class.
        classes: The index of each of the N classes in its split.
        names: The N class names, as prompts want them.
        text: The text features of the N classes; None where no part asks for text.
        bank: The text features of all M classes of the split, which `classes` are indices into;
            None without a text encoder, or where training changes it.
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
    """What a model says of an episode.

    Attributes:
        logits: A score of every query for every class from the matcher; larger is more alike.
        support: The support features as the backbone gave them, before any prototype builder.
        query: The query features as the backbone gave them.
        text: The text features of the N classes, None without a text encoder.
    """

    logits: Float[Tensor, "Q N"]
    support: Float[Tensor, "N K T D"]
    query: Float[Tensor, "Q T D"]
    text: Float[Tensor, "N E"] | None = None
