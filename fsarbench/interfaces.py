"""The slots: what every part takes and gives (the axes are those of `fsarbench.episode`).

A part is a `torch.nn.Module` whose `forward` carries the annotation of its slot, word for word, so
that the test run and `fsarbench check` hold it to the shapes. Parts store nothing on `self` between
calls, take flat arguments, and use neither `.item()` nor a branch on data, so that every assembly
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

TrunkPart = Literal["embed", "block", "pool"]
Projection = Literal["q", "k", "v", "o", "up", "down"]


class TextEncoder(Checked, nn.Module, ABC):
    """Class names to text features.

    Attributes:
        dim: The width E of its features.
    """

    dim: int

    @abstractmethod
    def forward(self, names: Sequence[str]) -> Float[Tensor, "N E"]:
        """One feature a class name, not normalised."""


@runtime_checkable
class Block(Protocol):
    """A view of one pre-norm transformer block; residuals are left to the caller.

    Every method takes any number of leading axes; layer scale and drop path are inside.

    Attributes:
        prefix: Tokens before the patches of a frame; the first of them is the class token.
    """

    prefix: int

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The norm before the attention."""

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention over the axis L, of normalised tokens."""

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The norm before the MLP."""

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The MLP, of normalised tokens."""

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The whole block as its library runs it, residuals included."""

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "Block":
        """The same block with changes added to weights."""


class Adapter(Checked, nn.Module, ABC):
    """What is done to one block of a frozen trunk; the backbone holds one for each block.

    The adapter calls the block, the block never knows the adapter. Assembly builds one a block; a
    config's key `blocks` (a list of block indices) leaves the other blocks plain, for any adapter.

    Attributes:
        uses_text: Reads `text`, the class's text features of each support video.
        joint: Attends across the videos of a call, so that support and query go in one call and no
            feature can be cached by video.
    """

    uses_text: ClassVar[bool] = False
    joint: ClassVar[bool] = False

    @abstractmethod
    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The tokens after the block. `text` is None for queries."""

    def entry(self) -> nn.Module | None:
        """A module that the tokens pass before the first block, asked of the first adapter only.

        It maps tokens "V T L C" to tokens "V T L C".
        """
        return None

    def tunes(self, part: TrunkPart, name: str, owner: nn.Module) -> bool:
        """Whether a trunk parameter is tuned; none is, unless an adapter says so.

        Args:
            part: The adapter's own `block`, or what comes before (`embed`) or after (`pool`) all.
            name: The parameter's name as its library spells it.
            owner: The layer that holds it.
        """
        del part, name, owner
        return False


class Backbone(Checked, ChecksInputs, nn.Module, ABC):
    """Frames to one feature a frame.

    Attributes:
        width: The token width C, which adapters work at.
        dim: The feature width D.
        image_size: The pixels (H = W) that it was made for.
        prefix: Tokens before the patches of a frame (class token, registers).
        mlp_width: The inner width of the blocks' MLPs; 0 if these are no two plain layers.
        depth: The number of blocks.
        joint: Whether an adapter of it attends across the videos of a call.
        uses_text: Whether an adapter of it reads the text features of support videos.
    """

    width: int
    dim: int
    image_size: int
    prefix: int
    mlp_width: int
    depth: int
    joint: bool
    uses_text: bool

    @abstractmethod
    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Put one adapter on each block, and tune the trunk parameters that they ask for.

        Raises:
            fsarbench.errors.UserError: The backbone has no place for one of them.
        """

    @abstractmethod
    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V T D"]:
        """Features of every frame.

        Args:
            frames: uint8, or floats in [0, 1]; normalised here, by the trunk's mean and deviation.
            text: The class's text feature of each support video, None for queries.
        """


class PrototypeBuilder(Checked, ChecksInputs, nn.Module, ABC):
    """Support features to class prototypes, and queries to what they are matched with.

    Attributes:
        uses_text: Cannot work without the text features of the classes.
    """

    uses_text: ClassVar[bool] = False

    @abstractmethod
    def forward(
        self,
        support: Float[Tensor, "N K T D"],
        query: Float[Tensor, "Q T D"],
        text: Float[Tensor, "N E"] | None,
    ) -> tuple[Float[Tensor, "#Q N P T D"], Float[Tensor, "Q T D"]]:
        """Prototypes (#Q is 1 where all queries share them, P is 1 or K), and queries to match."""


class Matcher(Checked, ChecksInputs, nn.Module, ABC):
    """Scores queries against prototypes.

    Attributes:
        scales_with_frames: The logits grow in proportion to T.
    """

    scales_with_frames: bool = False

    @abstractmethod
    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        """Logits; larger is more alike."""


class Loss(Checked, nn.Module, ABC):
    """A training loss over one episode.

    Attributes:
        weight: What the loss is multiplied by in the sum.
        uses_text: Cannot work without the text features of the classes.
        uses_match: Cannot work without a matcher.
    """

    weight: float
    uses_text: ClassVar[bool] = False
    uses_match: ClassVar[bool] = True

    @abstractmethod
    def forward(self, outcome: Outcome, episode: Episode) -> Float[Tensor, ""]:
        """The loss, not yet weighted."""


class Readout(Checked, nn.Module, ABC):
    """What is read off as the scores of a test episode.

    Attributes:
        uses_text: Cannot work without the text features of the classes.
        uses_match: Cannot work without a matcher.
    """

    uses_text: ClassVar[bool] = False
    uses_match: ClassVar[bool] = True

    @abstractmethod
    def forward(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Scores; the largest of a row is the prediction."""
