"""Random numbers that are the same on every machine and with every numpy version."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import UInt64

T = TypeVar("T")


class RandomStream:
    """Random number generator seeded by a key of strings and integers.

    It uses only the raw bit stream of numpy's PCG64, which numpy guarantees never to change.

    Args:
        *key: Seed; different keys give independent streams.

    Example:
        >>> RandomStream("a", 1).uniform(0.0, 1.0) == RandomStream("a", 1).uniform(0.0, 1.0)
        True
    """

    def __init__(self, *key: str | int) -> None:
        digest = hashlib.sha256("/".join(str(part) for part in key).encode()).digest()
        words = [int(word) for word in np.frombuffer(digest, dtype="<u4")]
        self._bits = np.random.PCG64(np.random.SeedSequence(words))

    def integer(self, below: int) -> int:
        """Random integer from 0 to `below` - 1."""
        return int(self._bits.random_raw()) % below

    def uniform(self, low: float, high: float) -> float:
        """Random number between `low` and `high`."""
        return low + (high - low) * (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def happens(self, probability: float) -> bool:
        """Whether an event with this probability happens."""
        return self.uniform(0.0, 1.0) < probability

    def pick(self, options: Sequence[T]) -> T:
        """Random element of `options`."""
        return options[self.integer(len(options))]

    def keys(self, count: int) -> UInt64[np.ndarray, " count"]:
        """Random 64-bit integers; their sorting order is a random permutation."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)
