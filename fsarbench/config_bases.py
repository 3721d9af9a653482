"""Where the bases of a config are: beside it, or among the configs that the package carries.

mmengine looks for a base beside the file alone, so that a config outside the project could not
build on one inside. Such a file is loaded from a copy in which its bases are full paths.
"""

import ast
from pathlib import Path

from fsarbench.config_variants import is_composed, source
from fsarbench.resources import resource


def bases(tree: ast.Module) -> tuple[ast.Assign, list[str]] | None:
    """The statement that names the bases of a config, and the bases; None where there is none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "_base_":
            value = ast.literal_eval(node.value)
            return node, [value] if isinstance(value, str) else list(value)
    return None


def base_path(file: Path, base: str) -> Path:
    """The file of a base: beside the config that names it if there is one, else the package's.

    Raises:
        FileNotFoundError: There is neither.
    """
    beside, carried = file.parent / base, resource("configs") / base
    for path in (beside, carried):
        if path.is_file() or is_composed(path):
            return path
    raise FileNotFoundError(beside)


def settled(file: Path, folder: Path) -> Path:
    """The config itself, or a copy with full paths of its bases where one is not beside it.

    A composed config has no file, so that it is always a copy.

    Lines keep their numbers. A file that cannot be read so is left to who loads it.

    Args:
        file: The config.
        folder: Where copies go.
    """
    try:
        text = source(file)
        found = bases(ast.parse(text))
    except (OSError, SyntaxError, ValueError):
        return file
    if found is None:
        return file
    node, names = found
    paths = [settled(base_path(file, name), folder) for name in names]
    if paths == [file.parent / name for name in names] and not is_composed(file):
        return file
    lines = text.splitlines()
    last = node.end_lineno or node.lineno
    padding = [""] * (last - node.lineno)
    lines[node.lineno - 1 : last] = [f"_base_ = {[str(p.resolve()) for p in paths]!r}", *padding]
    copy = folder / f"{len(list(folder.iterdir()))}_{file.name}"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy
