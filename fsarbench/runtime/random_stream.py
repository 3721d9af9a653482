"""A stream of random numbers that is the same on every machine and numpy version."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import UInt64

T = TypeVar("T")


class RandomStream:
    """Random draws that depend on a key and on nothing else.

    Only numpy's raw bit streams are used, whose values numpy promises never to change.

    Example:
        >>> RandomStream("a", 1).uniform(0.0, 1.0) == RandomStream("a", 1).uniform(0.0, 1.0)
        True
    """

    def __init__(self, *key: str | int) -> None:
        digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
        words = [int(word) for word in np.frombuffer(digest, dtype="<u4")]
        self._bits = np.random.PCG64(np.random.SeedSequence(words))

    def integer(self, below: int) -> int:
        """A whole number from 0 up to, but not including, `below`."""
        return int(self._bits.random_raw()) % below

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return low + (high - low) * (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def happens(self, probability: float) -> bool:
        """Whether an event of this probability happens."""
        return self.uniform(0.0, 1.0) < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`, all equally likely."""
        return options[self.integer(len(options))]

    def keys(self, count: int) -> UInt64[np.ndarray, " count"]:
        """Random 64-bit numbers; their order is a random permutation."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)
