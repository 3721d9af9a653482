"""The memory of tensors, counted storage by storage while code runs.

Not the size of the process: what its tensors hold, and the most that they held at once. It works on
every device, and on tensors without numbers (`torch._subclasses.FakeTensorMode`, the meta device).
What a kernel takes for itself and gives back before it returns is not seen.
"""

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class Ledger(TorchDispatchMode):
    """Bytes of living tensors by kind, from when they are made to when nobody holds them.

    What is made inside the `with` block is of the kind `activations`, unless `born_as` or `hold`
    says otherwise.

    Example:
        >>> import torch
        >>> weight = torch.ones(2, 3)
        >>> with Ledger() as ledger:
        ...     ledger.hold([weight], "weights")
        ...     double = 2 * weight
        ...     del double
        >>> ledger.peak
        {'weights': 24, 'activations': 24}
    """

    def __init__(self) -> None:
        super().__init__()
        self.live: Counter[str] = Counter()
        self._peak: Mapping[str, int] = {}
        self._most = 0
        self._kind = "activations"
        self._books: dict[int, tuple[weakref.ref[Any], str, int]] = {}

    @property
    def peak(self) -> dict[str, int]:
        """The bytes of each kind at the moment when their sum was largest."""
        return {kind: size for kind, size in self._peak.items() if size}

    def hold(self, tensors: Iterable[Tensor], kind: str) -> None:
        """Enters tensors under a kind, or moves them there."""
        for tensor in tensors:
            self._strike(tensor.untyped_storage()._cdata)
            self._enter(tensor, kind)

    @contextmanager
    def born_as(self, kind: str) -> Iterator[None]:
        """What is made inside is of this kind."""
        before, self._kind = self._kind, kind
        try:
            yield
        finally:
            self._kind = before

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Runs the operation and enters what it made."""
        del types
        made = func(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, Tensor):
                self._enter(tensor, self._kind)
        return made

    def _enter(self, tensor: Tensor, kind: str) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        known = self._books.get(key)
        if known is not None and known[0]() is storage:
            return
        # The entry goes with the storage, so no key is ever that of another storage.
        gone = weakref.ref(storage, lambda _: self._strike(key))
        self._books[key] = gone, kind, storage.nbytes()
        self.live[kind] += storage.nbytes()
        if self.live.total() > self._most:
            self._most, self._peak = self.live.total(), dict(self.live)

    def _strike(self, key: int) -> None:
        known = self._books.pop(key, None)
        if known is not None:
            self.live[known[1]] -= known[2]
