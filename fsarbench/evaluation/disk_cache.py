"""Finished parts of a test on disk: rows of numbers under names, in files that appear whole."""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Shaped
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.runtime import distributed
from fsarbench.runtime.atomic_files import whole, write_below

ROWS, VALUES = "rows", "values"
SUFFIX = ".safetensors"


class Store:
    """Rows of one shape that depend on the same facts, each under a name of its own.

    Other facts are another folder, so that nothing is ever taken for what it is not. The files may
    be deleted at any time; several processes may write at once.

    Args:
        folder: Where the stores of all facts lie.
        facts: Everything that a row depends on besides its name.
    """

    def __init__(self, folder: Path, facts: Mapping[str, str]) -> None:
        self.facts = dict(facts)
        self.folder = folder / digest(*(f"{key} {self.facts[key]}" for key in sorted(self.facts)))

    def read(self, names: Sequence[str]) -> dict[int, Shaped[Tensor, "..."]]:
        """The rows that are there, by their place in `names`; files are mapped into memory."""
        # Of several processes one looks: while it does, another may already write.
        return distributed.decide(lambda: self._read(names))

    def _read(self, names: Sequence[str]) -> dict[int, Tensor]:
        places = {name: place for place, name in enumerate(names)}
        found: dict[int, Tensor] = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            found |= {places[name]: row for name, row in _read(path).items() if name in places}
        return found

    def write(self, names: Sequence[str], values: Shaped[Tensor, "rows ..."]) -> None:
        """Writes some rows into a file of their own, whole or not at all.

        Raises:
            UserError: The folder cannot be written.
        """
        path = self.folder / f"{digest(*names)}{SUFFIX}"
        try:
            if not path.parent.is_dir():
                facts = json.dumps(self.facts, indent=1) + "\n"
                write_below(self.folder / "facts.json", facts.encode())
            with whole(path) as aside:
                content = {VALUES: values.detach().cpu().contiguous()}
                save_file(content, aside, metadata={ROWS: json.dumps(list(names))})
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"Finished parts of the test cannot be written to {path.parent} ({error}): make "
                "room or allow writing there, or name another folder (evaluate.features, "
                "--work-dir)."
            ) from error


class Shelf:
    """Collects rows for a store and writes them a file at a time.

    Args:
        store: Where they go; None keeps nothing.
        least: Rows of a file; one has more only where more came at once.
    """

    def __init__(self, store: Store | None, least: int) -> None:
        self.store = store
        self.least = least
        self._names: list[str] = []
        self._values: list[Tensor] = []

    def add(self, names: Sequence[str], values: Sequence[Shaped[Tensor, "..."]]) -> None:
        """Takes some rows, and writes all of them once they fill a file."""
        if self.store is not None:
            self._names += names
            self._values += values
            if len(self._names) >= self.least:
                self.close()

    def close(self) -> None:
        """Writes what is left."""
        if self.store is not None and self._names:
            self.store.write(self._names, torch.stack(self._values))
            self._names, self._values = [], []


def digest(*texts: str | bytes) -> str:
    """A hash over texts, one after the other, short enough for a file's name."""
    found = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode() if isinstance(text, str) else text
        # The length keeps ("ab", "c") apart from ("a", "bc").
        found.update(f"{len(content)}:".encode() + content)
    return found.hexdigest()


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = json.loads(file.metadata()[ROWS])
            return dict(zip(names, file.get_tensor(VALUES), strict=True))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        warnings.warn(f"{path} cannot be read and is passed over ({error}).", stacklevel=3)
        return {}
