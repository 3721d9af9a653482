"""Rendering of the built-in data sets ahead of the first run."""

from fsarbench.data.datasets.synthetic import Strokes, SynthAct
from fsarbench.errors import UserError, nearest

BUILTIN: dict[str, type[SynthAct] | type[Strokes]] = {"synthact": SynthAct, "strokes": Strokes}


def build_builtin(name: str, workers: int | None) -> None:
    """Render a built-in data set and print its location.

    Raises:
        UserError: The name is unknown, or the data set cannot be written.
    """
    if name not in BUILTIN:
        raise UserError(f"Unknown built-in data set '{name}'.{nearest(name, BUILTIN)}")
    splits = BUILTIN[name](workers=workers).splits()
    for split in splits.values():
        print(f"{name} {split.name}: {len(split.classes)} classes, {len(split.videos)} videos")
    print(f"in {splits['train'].videos[0].path.parents[1]}")
