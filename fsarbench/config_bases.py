"""Where the bases of a config are: beside it, or among the configs that the package carries.

mmengine looks for a base beside the file alone, so that a config outside the project could not
build on one inside. Such a file is loaded from a copy in which its bases are full paths.
"""

import ast
from pathlib import Path

from fsarbench.resources import resource


def bases(tree: ast.Module) -> tuple[ast.Assign, list[str]] | None:
    """The statement that names the bases of a config, and the bases; None where there is none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "_base_":
            value = ast.literal_eval(node.value)
            return node, [value] if isinstance(value, str) else list(value)
    return None


def base_path(file: Path, base: str) -> Path:
    """The file of a base: beside the config that names it if there is one, else the package's."""
    beside, carried = file.parent / base, resource("configs") / base
    return carried if carried.is_file() and not beside.is_file() else beside


def settled(file: Path, folder: Path) -> Path:
    """The config itself, or a copy whose bases are full paths where one of them is not beside it.

    Lines keep their numbers. A file that cannot be read so is left to who loads it.

    Args:
        file: The config.
        folder: Where copies go.
    """
    try:
        source = file.read_text(encoding="utf-8")
        found = bases(ast.parse(source))
    except (OSError, SyntaxError, ValueError):
        return file
    if found is None:
        return file
    node, names = found
    paths = [settled(base_path(file, name), folder) for name in names]
    if paths == [file.parent / name for name in names]:
        return file
    lines = source.splitlines()
    last = node.end_lineno or node.lineno
    padding = [""] * (last - node.lineno)
    lines[node.lineno - 1 : last] = [f"_base_ = {[str(p.resolve()) for p in paths]!r}", *padding]
    copy = folder / f"{len(list(folder.iterdir()))}_{file.name}"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy
