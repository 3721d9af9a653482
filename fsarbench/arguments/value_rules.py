"""Rules for argument values, used in annotations such as `Annotated[float, Above(0)]`.

All settings and all constructors of components have annotations with rules. `fsarbench check`
therefore finds all faults of a config at once, and constructors reject the same values when they
are called from Python. A component in your own code uses the rules in the same way::

    def __init__(self, temperature: PositiveFloat = 0.1) -> None: ...

A `float` must always be finite, because a config with an infinity could not be loaded again.
"""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated, Any, Protocol


class Rule(Protocol):
    """Condition on a value of the annotated type.

    Attributes:
        words: Condition as it follows the type in a message.
    """

    @property
    def words(self) -> str:
        """Condition in words."""

    def holds(self, value: Any) -> bool:
        """Whether a value satisfies the condition."""


@dataclass(frozen=True)
class Above:
    """Value greater than `low`."""

    low: int | float

    @property
    def words(self) -> str:
        """Condition in words."""
        return f"above {self.low}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is greater than `low`."""
        return value > self.low


@dataclass(frozen=True)
class AtLeast:
    """Value of `low` or more."""

    low: int | float

    @property
    def words(self) -> str:
        """Condition in words."""
        return f"at least {self.low}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is `low` or more."""
        return value >= self.low


@dataclass(frozen=True)
class Below:
    """Value less than `high`."""

    high: int | float

    @property
    def words(self) -> str:
        """Condition in words."""
        return f"below {self.high}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is less than `high`."""
        return value < self.high


@dataclass(frozen=True)
class AtMost:
    """Value of `high` or less."""

    high: int | float

    @property
    def words(self) -> str:
        """Condition in words."""
        return f"at most {self.high}"

    def holds(self, value: int | float) -> bool:
        """Whether a value is `high` or less."""
        return value <= self.high


@dataclass(frozen=True)
class Odd:
    """Odd integer, such as a kernel size that keeps the length of an axis."""

    words: str = "odd"

    def holds(self, value: int) -> bool:
        """Whether a value is odd."""
        return value % 2 == 1


@dataclass(frozen=True)
class NotEmpty:
    """Non-empty string or list."""

    words: str = "not empty"

    def holds(self, value: Sized) -> bool:
        """Whether a value is not empty."""
        return len(value) > 0


@dataclass(frozen=True)
class Distinct:
    """List without equal items."""

    words: str = "without repetition"

    def holds(self, value: Any) -> bool:
        """Whether all items are distinct."""
        return len(set(value)) == len(value)


@dataclass(frozen=True)
class OnePlaceholder:
    """Prompt template with one `{}`."""

    words: str = "with one {} for the class name"

    def holds(self, value: str) -> bool:
        """Whether a string has one placeholder for the class name."""
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
# The maximum seed of torch on every device.
SeedInt = Annotated[int, AtLeast(0), AtMost(2**63 - 1)]
PositiveFloat = Annotated[float, Above(0)]
NonNegativeFloat = Annotated[float, AtLeast(0)]
# Fractions from 0 to 1; the name tells which ends are included.
ShareWithEnds = Annotated[float, AtLeast(0), AtMost(1)]
ShareWithZero = Annotated[float, AtLeast(0), Below(1)]
ShareWithOne = Annotated[float, Above(0), AtMost(1)]
ShareWithoutEnds = Annotated[float, Above(0), Below(1)]
NonEmptyStr = Annotated[str, NotEmpty()]
PromptTemplate = Annotated[str, OnePlaceholder()]
