"""Text corpora: sentences or stages of every class, in a JSON file."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError, first_names
from fsarbench.video import class_key

LAYOUT = (
    "expected a JSON object from class names to a sentence, a list of sentences, or an object "
    "from stages to sentences"
)


class Corpus:
    """Sentences of every class, read from a JSON file.

    The file maps class names to a sentence, to a list of sentences, or to an object from stages
    (such as `start`, `middle`, `end`) to a sentence or a list of sentences; stages keep their
    order. Class names are compared without regard to case, underscores and repeated spaces.

    Args:
        path: JSON file.

    Attributes:
        sha256: Hash of the file's content.

    Raises:
        UserError: The file is missing, is not JSON of this layout, or names a class twice.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            content = self.path.read_bytes()
            classes = json.loads(content)
        except OSError as error:
            raise UserError(f"corpus: {self.path} cannot be read ({error}).") from error
        except ValueError as error:
            raise UserError(f"corpus: {self.path} is not JSON ({error}); {LAYOUT}.") from error
        if not isinstance(classes, Mapping) or not classes:
            raise UserError(f"corpus: {self.path}: {LAYOUT}.")
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._sentences: dict[str, tuple[str, ...]] = {}
        for name, value in classes.items():
            if class_key(name) in self._sentences:
                raise UserError(f"corpus: {self.path} has the class '{name}' twice.")
            self._sentences[class_key(name)] = self._of_class(name, value)

    def _of_class(self, name: str, value: Any) -> tuple[str, ...]:
        parts = list(value.values()) if isinstance(value, Mapping) else [value]
        sentences = [
            text for part in parts for text in (part if isinstance(part, list) else [part])
        ]
        if not sentences or not all(isinstance(s, str) and s.strip() for s in sentences):
            raise UserError(
                f"corpus: {self.path}: the class '{name}' has {value!r}; {LAYOUT}, none empty."
            )
        return tuple(sentences)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Class names without a sentence, in their order."""
        return [name for name in names if class_key(name) not in self._sentences]

    def sentences(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Sentences of each class.

        Raises:
            UserError: A class has none; the message names the classes.
        """
        missing = self.missing(names)
        if missing:
            raise UserError(
                f"corpus: {self.path} has no sentence for {len(missing)} of {len(names)} classes: "
                f"{first_names(missing)}. Add them to the file."
            )
        return [self._sentences[class_key(name)] for name in names]

    def count(self) -> int:
        """Sentences per class, if all classes have the same number.

        Raises:
            UserError: Two classes have different numbers of sentences.
        """
        counts = {len(sentences): name for name, sentences in self._sentences.items()}
        if len(counts) > 1:
            (few, one), (many, other) = min(counts.items()), max(counts.items())
            raise UserError(
                f"corpus: {self.path}: '{one}' has {few} sentences and '{other}' {many}; "
                "with sentences='all' every class needs the same number. Complete the file, or "
                "take sentences='mean'."
            )
        return next(iter(counts))
