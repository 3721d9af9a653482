"""Text features of classes that were computed before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.errors import UserError, closest
from fsarbench.interfaces import TextEncoder
from fsarbench.registry import TEXT_ENCODERS
from fsarbench.runtime.feature_files import KEY, load_npz

CLASSES, CORPUS = "classes", "corpus_sha256"


@TEXT_ENCODERS.register_module()
class PrecomputedText(TextEncoder):
    """Text features of classes from a file, such as the one that `fsarbench features` writes.

    Args:
        file: `.npz` file with the arrays `classes` (A class names for prompts, as in the column
            `readable` of a split file) and `features` "A M E", or "A E" for one sentence per class;
            `~` is expanded.

    Raises:
        UserError: The file is missing or damaged, an array is missing or has other axes, or a value
            is not finite.
    """

    def __init__(self, file: NonEmptyStr) -> None:
        super().__init__()
        self.file = Path(file).expanduser()
        names, features, self.corpus_sha256 = text_table(self.file)
        self.rows = {name: row for row, name in enumerate(names)}
        self.register_buffer("table", torch.tensor(features))
        self.sentences, self.dim = features.shape[1:]

    def forward(self, names: Sequence[str]) -> Float[Tensor, "N M E"]:
        """Features of each class, as they are in the file.

        Raises:
            UserError: The file has no such class.
        """
        table = self.get_buffer("table")
        if table.is_meta:  # in a dry run or a FLOP count, the class names are made up
            return table.new_empty(len(names), self.sentences, self.dim)
        missing = self.missing(names)
        if missing:
            raise UserError(
                f"{self.file} has no text features of the class '{missing[0]}' ({len(missing)} of "
                f"{len(names)} classes are missing).{closest(missing[0], self.rows)}"
            )
        return table[[self.rows[name] for name in names]]

    def missing(self, names: Sequence[str]) -> list[str]:
        """Classes without features in the file."""
        return [name for name in names if name not in self.rows]


def text_table(path: Path) -> tuple[list[str], Float32[np.ndarray, "A M E"], str]:
    """Class names, text features and hash of the corpus of a file; the hash may be empty.

    Raises:
        UserError: The file is missing or damaged, or does not fit.
    """
    arrays = load_npz(path, (CLASSES, KEY, CORPUS))
    features = arrays[KEY]
    if CLASSES not in arrays:
        raise UserError(f"{path} has no array '{CLASSES}': add the class name of each row.")
    names = [str(name) for name in arrays[CLASSES].reshape(-1)]
    if features.ndim == 2:
        features = features[:, None]
    if features.ndim != 3 or len(features) != len(names):
        raise UserError(
            f"{path}: '{KEY}' has the shape {arrays[KEY].shape} for {len(names)} classes; expected "
            "(classes, sentences, width), or (classes, width)."
        )
    if not np.isfinite(features).all():
        raise UserError(f"{path}: '{KEY}' has values that are NaN or infinite.")
    return names, features.astype(np.float32), str(arrays.get(CORPUS, ""))
