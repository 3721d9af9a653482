"""Rules for argument values, written in annotations such as `Annotated[float, Above(0)]`.

The settings of a config and the constructors of all components carry them, so `fsarbench check`
finds every fault of a config at once, and a constructor that is called from Python refuses the same
values. A component outside the project uses them in the same way::

    def __init__(self, temperature: PositiveFloat = 0.1) -> None: ...

A `float` must be finite without any rule: a config with an infinity could not be loaded again.
"""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated, Any, Protocol


class Rule(Protocol):
    """A condition on a value whose type is right.

    Attributes:
        words: The condition as it follows the type in a message.
    """

    @property
    def words(self) -> str:
        """The condition in words."""

    def holds(self, value: Any) -> bool:
        """Whether a value meets the condition."""


@dataclass(frozen=True)
class Above:
    """Greater than `low`."""

    low: int | float

    @property
    def words(self) -> str:
        """The condition in words."""
        return f"above {self.low}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is greater than `low`."""
        return value > self.low


@dataclass(frozen=True)
class AtLeast:
    """`low` or more."""

    low: int | float

    @property
    def words(self) -> str:
        """The condition in words."""
        return f"at least {self.low}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is `low` or more."""
        return value >= self.low


@dataclass(frozen=True)
class Below:
    """Less than `high`."""

    high: int | float

    @property
    def words(self) -> str:
        """The condition in words."""
        return f"below {self.high}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is less than `high`."""
        return value < self.high


@dataclass(frozen=True)
class AtMost:
    """`high` or less."""

    high: int | float

    @property
    def words(self) -> str:
        """The condition in words."""
        return f"at most {self.high}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is `high` or less."""
        return value <= self.high


@dataclass(frozen=True)
class Odd:
    """An odd integer, such as a kernel size that keeps the length of an axis."""

    words: str = "odd"

    def holds(self, value: int) -> bool:
        """Whether a value is odd."""
        return value % 2 == 1


@dataclass(frozen=True)
class NotEmpty:
    """A text or a list that holds something."""

    words: str = "not empty"

    def holds(self, value: Sized) -> bool:
        """Whether a value holds something."""
        return len(value) > 0


@dataclass(frozen=True)
class Distinct:
    """A list in which no item comes twice."""

    words: str = "without repetition"

    def holds(self, value: Any) -> bool:
        """Whether no item comes twice."""
        return len(set(value)) == len(value)


@dataclass(frozen=True)
class OnePlaceholder:
    """A prompt template with one `{}`."""

    words: str = "with one {} for the class name"

    def holds(self, value: str) -> bool:
        """Whether a text can be filled in with a class name."""
        try:
            return value.count("{}") == 1 and value.format("name") != value
        except (IndexError, KeyError, ValueError):
            return False


PositiveInt = Annotated[int, AtLeast(1)]
NonNegativeInt = Annotated[int, AtLeast(0)]
OddInt = Annotated[int, AtLeast(1), Odd()]
WayInt = Annotated[int, AtLeast(2)]
# Index of a block; negative ones count from the end. No network has a thousand blocks.
BlockIndex = Annotated[int, AtLeast(-999), AtMost(999)]
# The largest seed that torch takes on every device.
SeedInt = Annotated[int, AtLeast(0), AtMost(2**63 - 1)]
PositiveFloat = Annotated[float, Above(0)]
NonNegativeFloat = Annotated[float, AtLeast(0)]
# Shares, named after the ends that are included.
ShareWithEnds = Annotated[float, AtLeast(0), AtMost(1)]
ShareWithZero = Annotated[float, AtLeast(0), Below(1)]
ShareWithOne = Annotated[float, Above(0), AtMost(1)]
ShareWithoutEnds = Annotated[float, Above(0), Below(1)]
NonEmptyStr = Annotated[str, NotEmpty()]
PromptTemplate = Annotated[str, OnePlaceholder()]
