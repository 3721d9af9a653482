"""The slots: what every part takes and gives (the axes are those of `fsarbench.episode`).

A part is a `torch.nn.Module` whose `forward` carries the annotation of its slot, word for word, so
that the test run and `fsarbench check` hold it to the shapes. Parts store nothing on `self` between
calls, take flat arguments, and use neither `.item()` nor a branch on data, so that every assembly
also runs on the meta device and under `torch.vmap`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Num, UInt8
from torch import Tensor, nn

from fsarbench.episode import Episode, Outcome
from fsarbench.signatures import Checked

TrunkPart = Literal["embed", "block", "pool"]
Projection = Literal["q", "k", "v", "o", "up", "down"]
SplitName = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Video:
    """One video of a split.

    Attributes:
        id: Its name inside the data set, the same on every machine.
        path: The file.
        label: The index of its class in the split.
    """

    id: str
    path: Path
    label: int


@dataclass(frozen=True)
class Split:
    """The classes of one stage and their videos, in an order that is the same everywhere.

    Attributes:
        name: `train`, `val` or `test`.
        classes: Class names as the data set spells them.
        readable: The same names as prompts want them.
        videos: All videos.
    """

    name: SplitName
    classes: tuple[str, ...]
    readable: tuple[str, ...]
    videos: tuple[Video, ...]


class VideoDataset(Checked, ABC):
    """Videos split by class into train, val and test.

    Constructing one does no work beyond storing its arguments; `splits` finds (or makes) the files.
    """

    @abstractmethod
    def splits(self) -> dict[SplitName, Split]:
        """The three splits.

        Raises:
            fsarbench.errors.UserError: Videos are missing; it says where to get and to put them.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash over video ids, their classes and their partition, the same on every machine."""

    @property
    def skipped(self) -> Mapping[str, str]:
        """Unreadable videos (path to reason), left out, if asked, before episodes are drawn."""
        return {}


class VideoReader(Checked, ABC):
    """Reads single frames of a video file."""

    @abstractmethod
    def count(self, path: Path) -> int:
        """The number of frames of a file.

        Raises:
            fsarbench.errors.UserError: The file is missing or cannot be decoded.
        """

    @abstractmethod
    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "T H W 3"]:
        """RGB frames at the given indices, in their order; an index may come more than once.

        Raises:
            fsarbench.errors.UserError: The file is missing, cannot be decoded, or is too short.
        """

    def source(self, path: Path) -> Path:
        """Where the frames of a video are read; if that changes, so may all computed from it."""
        return path


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


class Backbone(Checked, nn.Module, ABC):
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


class PrototypeBuilder(Checked, nn.Module, ABC):
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


class Matcher(Checked, nn.Module, ABC):
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
