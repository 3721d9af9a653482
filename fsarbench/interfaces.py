"""Abstract base class of each slot: inputs and outputs (axes as in `fsarbench.episode`).

A component is a `torch.nn.Module` whose `forward` repeats the annotations of its slot, so that the
tests and `fsarbench check` can check its shapes. Components store no state on `self` between calls,
take flat arguments, and use neither `.item()` nor data-dependent branches. Every model therefore
also runs on the meta device and under `torch.vmap`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.arguments.axes import ChecksInputs
from fsarbench.arguments.signatures import Checked
from fsarbench.episode import Episode, Outcome, TokenFeatures, VideoFeatures

TrunkSection = Literal["embed", "block", "pool"]
Projection = Literal["q", "k", "v", "o", "up", "down"]


class TextEncoder(Checked, nn.Module, ABC):
    """Maps class names to text features.

    Attributes:
        dim: Text feature width E.
        sentences: Sentences per class M.
        corpus_sha256: Hash of the file that its sentences come from; empty without one. It is
            recorded in `result.json`, and part of the keys of the disk caches.
    """

    dim: int
    sentences: int = 1
    corpus_sha256: str = ""

    @abstractmethod
    def forward(self, names: Sequence[str]) -> Float[Tensor, "N M E"]:
        """One feature per sentence of each class, not normalised."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """Classes that it has no sentence for; by default none, since a name is a sentence."""
        del names
        return []


@runtime_checkable
class Block(Protocol):
    """View of one pre-norm transformer block; the caller adds the residuals.

    Every method takes any number of leading axes and includes layer scale and drop path.

    Attributes:
        prefix: Number of tokens before the patches of a frame; the first is the class token.
    """

    prefix: int

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the attention."""

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention of normalised tokens over the axis L."""

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the MLP."""

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens."""

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The library's own forward of the block, residuals included."""

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "Block":
        """The same block with weight deltas added to its projections."""


class Adapter(Checked, nn.Module, ABC):
    """Adaptation of one block of a frozen trunk; the backbone holds one adapter per block.

    The adapter calls the block; the block does not know the adapter. With the config key `blocks`
    (a list of block indices), only those blocks are adapted and the others stay frozen.

    Attributes:
        uses_text: Whether it reads `text`, the text feature of each support video's class.
        joint: Whether it attends across the videos of a call. If so, support and query videos go
            through the backbone in one call, and features cannot be cached per video.
    """

    uses_text: ClassVar[bool] = False
    joint: ClassVar[bool] = False

    @abstractmethod
    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the adapted block.

        Args:
            tokens: Input of the block.
            block: The block.
            text: Text feature of each support video's class, the mean over its sentences; None for
                queries.
        """

    def entry(self) -> nn.Module | None:
        """Optional module before the first block; only the first one that is not None is used.

        It maps tokens "V T L C" to tokens "V T L C".
        """
        return None

    def trains(self, part: TrunkSection, name: str, owner: nn.Module) -> bool:
        """Whether a trunk parameter is trainable; by default all trunk parameters are frozen.

        Args:
            part: `block` for the adapter's own block, `embed` for the layers before all blocks,
                `pool` for the layers after them.
            name: Name of the parameter in its library.
            owner: Layer that holds the parameter.
        """
        del part, name, owner
        return False


class Backbone(Checked, ChecksInputs, nn.Module, ABC):
    """Maps frames to one feature per step, for an image backbone one feature per frame.

    Attributes:
        width: Token width C, the width of the adapters' inputs.
        dim: Feature width D.
        image_size: Input size in pixels (H = W); 0 if its input is features.
        prefix: Number of tokens before the patches of a frame (class token, registers).
        grid: Patches per side of a frame; 0 for a network without patches.
        mlp_width: Hidden width of the blocks' MLPs; 0 if an MLP is not two plain linear layers.
        depth: Number of blocks.
        joint: Whether one of its adapters attends across the videos of a call.
        uses_text: Whether one of its adapters reads the text features of support videos.
        gives_tokens: Whether `forward` takes the argument `levels`, for necks that read tokens.
        only_last_tokens: Whether only the last block gives tokens, as in a convolutional network.
        takes_features: Whether its input is features "V S D" that were computed before, not frames.
    """

    gives_tokens: ClassVar[bool] = False
    only_last_tokens: ClassVar[bool] = False
    takes_features: ClassVar[bool] = False
    width: int
    dim: int
    image_size: int
    prefix: int
    grid: int = 0
    mlp_width: int
    depth: int
    joint: bool
    uses_text: bool

    @abstractmethod
    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Attach one adapter to each block and make the trunk parameters they name trainable.

        Raises:
            fsarbench.errors.UserError: The backbone does not support one of the adapters.
        """

    @abstractmethod
    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V S D"] | VideoFeatures:
        """Features of every step.

        With `gives_tokens`, there is a third argument `levels`: the sorted indices of the blocks
        after which tokens are wanted, where -1 stands for the tokens before the first block. If
        there are any, the result is a `VideoFeatures` with them.

        Args:
            frames: uint8, or floats in [0, 1]; the backbone subtracts the trunk's mean and divides
                by its standard deviation.
            text: Text feature of each support video's class; None for queries.
        """

    def output_frames(self, frames: int) -> int:
        """Number of steps S for clips of `frames` frames T; by default one step per frame."""
        return frames


class Neck(Checked, ChecksInputs, nn.Module, ABC):
    """Per-video module between the backbone and the prototype builder.

    It sees one video at a time, so that its outputs are cached like the backbone's features.

    Attributes:
        dim: Width F of its output.
        levels: Blocks of the backbone whose tokens it reads, as indices from 0; negative ones count
            from the end, `fsarbench.episode.BEFORE_BLOCKS` stands for the input of the first one.
            Empty if it reads the features only.
        token_width: Width of the tokens that it returns; 0 if it returns none.
        uses_text: Whether it reads the text features of the class of a support video.
        extra: Names of the side data that it reads (`dataset.extra`).
    """

    uses_text: ClassVar[bool] = False
    dim: int
    levels: tuple[int, ...] = ()
    token_width: int = 0
    extra: tuple[str, ...] = ()

    @abstractmethod
    def forward(
        self, features: VideoFeatures, text: Float[Tensor, "V M E"] | None
    ) -> (
        Float[Tensor, "V S2 F"]
        | tuple[Float[Tensor, "V S2 F"], Mapping[str, Tensor]]
        | TokenFeatures
    ):
        """Features of every video, and optionally auxiliary outputs for losses by name, or tokens.

        Args:
            features: Output of the backbone, or of the neck that all branches share.
            text: Text features of each support video's class; None for queries.

        Returns:
            The features; or the features and tensors by name whose first axis is that of the
            videos, such as reconstructions that a loss compares; or, from a neck with a
            `token_width`, the features and tokens of that width, which the necks of the branches
            read in place of those of the backbone's last block.
        """

    def output_frames(self, frames: int) -> int:
        """Number of output steps for `frames` input steps; by default the same number."""
        return frames


class PrototypeBuilder(Checked, ChecksInputs, nn.Module, ABC):
    """Maps support features to class prototypes, and query features to the matcher's input.

    Attributes:
        uses_text: Whether it requires the text features of the classes.
        uses_support: Whether the prototypes depend on the support videos.
    """

    uses_text: ClassVar[bool] = False
    uses_support: ClassVar[bool] = True

    @abstractmethod
    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N M E"] | None,
    ) -> (
        tuple[Float[Tensor, "#Q N P S2 F2"], Float[Tensor, "Q S2 F2"]]
        | tuple[Float[Tensor, "#Q N P S2 F2"], Float[Tensor, "Q S2 F2"], Mapping[str, Tensor]]
    ):
        """Prototypes and the queries' features for the matcher.

        Args:
            support: Features of the support videos.
            query: Features of the queries.
            text: Text features of the classes.

        Returns:
            Prototypes (#Q is 1 if all queries share them; P is 1 or K) and query features, with a
            number of steps and a width of their own; and optionally auxiliary outputs for losses
            by name.
        """

    def output_dim(self, dim: int) -> int:
        """Width F2 for features of width `dim`; by default the same width."""
        return dim

    def output_frames(self, frames: int) -> int:
        """Number of steps S2 for `frames` input steps; by default the same number."""
        return frames


class Matcher(Checked, ChecksInputs, nn.Module, ABC):
    """Scores queries against prototypes.

    Attributes:
        scales_with_frames: Whether the logits grow in proportion to T.
    """

    scales_with_frames: bool = False

    @abstractmethod
    def forward(
        self, query: Float[Tensor, "Q S F"], prototypes: Float[Tensor, "#Q N P S F"]
    ) -> Float[Tensor, "Q N"]:
        """Logits; larger means more similar."""


class Loss(Checked, nn.Module, ABC):
    """Training loss of one episode.

    Attributes:
        weight: Factor of the loss in the total loss.
        uses_text: Whether it requires the text features of the classes.
        uses_match: Whether it requires a matcher.
    """

    weight: float
    uses_text: ClassVar[bool] = False
    uses_match: ClassVar[bool] = True

    @abstractmethod
    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """Loss before multiplication by `weight`."""


class Readout(Checked, nn.Module, ABC):
    """Maps a model's output to the class scores of a test episode.

    Attributes:
        uses_text: Whether it requires the text features of the classes.
        uses_match: Whether it requires a matcher.
    """

    uses_text: ClassVar[bool] = False
    uses_match: ClassVar[bool] = True

    @abstractmethod
    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Scores; the largest score of a row is the prediction."""
