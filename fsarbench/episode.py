"""Few-shot episode, features of videos, and the output of a model for an episode.

Axes, with the same letters in the whole project:

| axis | meaning | axis | meaning |
|---|---|---|---|
| N | way: classes of an episode | T | frames of a clip |
| K | shot: support videos per class | H, W | pixels |
| Q | queries of the whole episode | L | tokens of a frame |
| V | videos of one call | C | token width of the backbone |
| S | steps: features of a video, in time order | D | feature width of the backbone |
| P | prototypes per class | F | feature width behind a neck |
| M | sentences per class | E | text feature width |
| A | classes of a split | | |

An image backbone gives one feature per frame, so S = T. A video backbone or a neck may give fewer
or more. The support set is class-major: the first index of a support video is its label.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from jaxtyping import Float, Int, Num
from torch import Tensor

from fsarbench.errors import UserError


@dataclass(frozen=True)
class Episode:
    """One N-way K-shot episode.

    Attributes:
        support: Frames of the support videos, uint8 or floats in [0, 1]; or features that were
            computed elsewhere, "N K S D".
        query: Frames of the query videos, uint8 or floats in [0, 1]; or features "Q S D".
        labels: Class of each query, as an index into the episode's classes (0 to N - 1).
        classes: Index of each of the N classes in its split.
        names: Readable names of the N classes, for prompts.
        text: Text features of the N classes; None if they are not computed yet, or not used.
        bank: Text features of all A classes of the split, indexed by `classes`; None without a
            text encoder, or if the text encoder is trainable.
        support_extra: Side data of the support videos by name, leading axes "N K".
        query_extra: Side data of the query videos by name, leading axis "Q".
    """

    support: Num[Tensor, "N K T *pixels"]
    query: Num[Tensor, "Q T *pixels"]
    labels: Int[Tensor, " Q"]
    classes: Int[Tensor, " N"]
    names: tuple[str, ...] = ()
    text: Float[Tensor, "N M E"] | None = None
    bank: Float[Tensor, "A M E"] | None = None
    support_extra: Mapping[str, Tensor] = field(default_factory=dict)
    query_extra: Mapping[str, Tensor] = field(default_factory=dict)

    def __repr__(self) -> str:
        shapes = (f"{name}={list(getattr(self, name).shape)}" for name in ("support", "query"))
        return f"Episode({', '.join(shapes)}, names={self.names})"


@dataclass(frozen=True)
class VideoFeatures:
    """Backbone output for some videos.

    Attributes:
        frames: One feature per step.
        tokens: Tokens after a block of the backbone, by the block's index; only the blocks that a
            neck asks for, under the indices that it asks for; `BEFORE_BLOCKS` stands for the
            tokens before the first block. They are not normalised.
        extra: Side data of the videos by name, such as tracks; only what a neck asks for.
    """

    frames: Float[Tensor, "V S D"]
    tokens: Mapping[int, Float[Tensor, "V T L C"]] = field(default_factory=dict)
    extra: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenFeatures:
    """Output of a neck that returns tokens besides its features.

    Attributes:
        frames: One feature per step.
        tokens: Tokens of every frame, of a width C2 of their own. The necks of the branches read
            them as level -1, in place of the tokens after the backbone's last block.
    """

    frames: Float[Tensor, "V S2 F"]
    tokens: Float[Tensor, "V T L C2"]


@dataclass(frozen=True)
class Encoding:
    """All features of some videos: those of the backbone, and those of the necks.

    Leading axes: "V", or "N K" for a support set.

    Attributes:
        frames: Features from the backbone.
        necks: Output of each neck by branch; that of a neck shared by all branches is called
            `neck`. Branches without a neck of their own are absent.
        auxiliary: Further outputs of the necks, by branch and name; empty outside training.
    """

    frames: Float[Tensor, "*V S D"]
    necks: Mapping[str, Float[Tensor, "..."]] = field(default_factory=dict)
    auxiliary: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)

    def of(self, branch: str) -> Float[Tensor, "..."]:
        """Features that the prototype builder of a branch receives."""
        return self.necks.get(branch, self.necks.get(SHARED_NECK, self.frames))

    def map(self, change: Callable[[Tensor], Tensor]) -> "Encoding":
        """The encoding with every tensor replaced."""
        return Encoding(
            change(self.frames),
            {name: change(value) for name, value in self.necks.items()},
            {
                branch: {name: change(value) for name, value in values.items()}
                for branch, values in self.auxiliary.items()
            },
        )

    def tensors(self) -> dict[str, Float[Tensor, "..."]]:
        """Features by name, without the auxiliary outputs; `frames` are those of the backbone."""
        return {FRAMES: self.frames, **self.necks}


FRAMES, SHARED_NECK = "frames", "neck"
BEFORE_BLOCKS = -1000  # level of the tokens before the first block; no network has so many blocks
MAIN = "main"  # name of the only branch of a model without `branches`


def encoding_of(features: Tensor | Mapping[str, Tensor] | Encoding) -> Encoding:
    """Encoding from the features of the backbone alone, or from features by name."""
    if isinstance(features, Encoding):
        return features
    if isinstance(features, Tensor):
        return Encoding(features)
    return Encoding(features[FRAMES], {k: v for k, v in features.items() if k != FRAMES})


@dataclass(frozen=True)
class BranchOutcome:
    """Output of one branch for one episode.

    Attributes:
        logits: Matcher's score of every query for every class; larger means more similar.
        support: Support features that the prototype builder received.
        query: Query features that the prototype builder received.
        prototypes: Class prototypes; None without a matcher.
        matched: Query features that the matcher received; None without a matcher.
        auxiliary: Further outputs by name: those of the neck have one row per video, the support
            videos first and class-major, then the queries; those of the prototype builder have any
            axes.
    """

    logits: Float[Tensor, "Q N"]
    support: Float[Tensor, "N K S F"]
    query: Float[Tensor, "Q S F"]
    prototypes: Float[Tensor, "#Q N P S2 F2"] | None = None
    matched: Float[Tensor, "Q S2 F2"] | None = None
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Model output for one episode.

    A loss or a readout with the config key `branch` receives the outcome of that branch: its
    logits, its features and its auxiliary outputs. Without the key, logits are the fused ones and
    features those of the backbone.

    Attributes:
        logits: Score of every query for every class; larger means more similar. The sum of the
            branches' logits, each multiplied by the weight of its branch.
        support: Support features from the backbone.
        query: Query features from the backbone.
        text: Text features of the N classes; None without a text encoder.
        auxiliary: Further outputs by name, of the only branch.
        branches: Output of each branch; the only branch of a model without `branches` is `main`.
        prototypes: Class prototypes of the only branch; None without a matcher, or with several
            branches.
        matched: Query features that the matcher of the only branch received; None if `prototypes`
            is.
    """

    logits: Float[Tensor, "Q N"]
    support: Float[Tensor, "N K S D"]
    query: Float[Tensor, "Q S D"]
    text: Float[Tensor, "N M E"] | None = None
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)
    branches: Mapping[str, BranchOutcome] = field(default_factory=dict)
    prototypes: Float[Tensor, "#Q N P S2 F2"] | None = None
    matched: Float[Tensor, "Q S2 F2"] | None = None

    def of(self, branch: str) -> "Outcome":
        """The outcome of one branch."""
        chosen = self.branches[branch]
        return replace(
            self,
            logits=chosen.logits,
            support=chosen.support,
            query=chosen.query,
            auxiliary=chosen.auxiliary,
            prototypes=chosen.prototypes,
            matched=chosen.matched,
        )

    def auxiliary_output(self, name: str, argument: str) -> Tensor:
        """An auxiliary output of the neck or the prototype builder.

        Args:
            name: Name of the output.
            argument: Component and argument that name it, for the message.

        Raises:
            UserError: There is none of this name.
        """
        if name not in self.auxiliary:
            known = ", ".join(sorted(self.auxiliary)) or "none"
            raise UserError(
                f"{argument} is {name!r}, expected an auxiliary output of the neck or the "
                f"prototype builder in training; there are: {known}."
            )
        return self.auxiliary[name]
