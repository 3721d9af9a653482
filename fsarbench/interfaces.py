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
from fsarbench.episode import Episode, Outcome

TrunkSection = Literal["embed", "block", "pool"]
Projection = Literal["q", "k", "v", "o", "up", "down"]


class TextEncoder(Checked, nn.Module, ABC):
    """Maps class names to text features.

    Attributes:
        dim: Text feature width E.
    """

    dim: int

    @abstractmethod
    def forward(self, names: Sequence[str]) -> Float[Tensor, "N E"]:
        """One feature per class name, not normalised."""


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
        """Tokens after the adapted block; `text` is None for queries."""

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
    """Maps frames to one feature per frame.

    Attributes:
        width: Token width C, the width of the adapters' inputs.
        dim: Feature width D.
        image_size: Input size in pixels (H = W).
        prefix: Number of tokens before the patches of a frame (class token, registers).
        grid: Patches per side of a frame; 0 for a network without patches.
        mlp_width: Hidden width of the blocks' MLPs; 0 if an MLP is not two plain linear layers.
        depth: Number of blocks.
        joint: Whether one of its adapters attends across the videos of a call.
        uses_text: Whether one of its adapters reads the text features of support videos.
    """

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
    ) -> Float[Tensor, "V T D"]:
        """Features of every frame.

        Args:
            frames: uint8, or floats in [0, 1]; the backbone subtracts the trunk's mean and divides
                by its standard deviation.
            text: Text feature of each support video's class; None for queries.
        """


class PrototypeBuilder(Checked, ChecksInputs, nn.Module, ABC):
    """Maps support features to class prototypes, and query features to the matcher's input.

    Attributes:
        uses_text: Whether it requires the text features of the classes.
    """

    uses_text: ClassVar[bool] = False

    @abstractmethod
    def forward(
        self,
        support: Float[Tensor, "N K S F"],
        query: Float[Tensor, "Q S F"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P S F"], Float[Tensor, "Q S F"]]:
        """Prototypes (#Q is 1 if all queries share them; P is 1 or K) and query features."""


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
