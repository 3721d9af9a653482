"""Where in a config file, or in a base of it, each key is written."""

import ast
from pathlib import Path

from fsarbench.config_bases import base_path, bases
from fsarbench.config_variants import label, source


def lines_of(file: Path) -> dict[str, str]:
    """The place `file:line` of every dotted key that a config or a base of it writes down.

    What the file itself says comes before what its bases say.
    """
    found: dict[str, str] = {}
    tree = ast.parse(source(file))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            note_lines(found, node.targets[0].id, node, node.value, file)
    replaced = tuple(
        f"{key.removesuffix('._delete_')}." for key in found if key.endswith("._delete_")
    )
    _, names = bases(tree) or (None, [])
    for name in names:
        for key, place in lines_of(base_path(file, name)).items():
            if not key.startswith(replaced):
                found.setdefault(key, place)
    return found


def note_lines(found: dict[str, str], key: str, node: ast.AST, value: ast.expr, file: Path) -> None:
    """Note where a key and, in a `dict(...)` or `{...}`, its sub-keys are written."""
    found[key] = f"{label(file)}:{getattr(node, 'lineno', 0)}"
    if isinstance(value, ast.Call):
        for keyword in value.keywords:
            if keyword.arg:
                note_lines(found, f"{key}.{keyword.arg}", keyword.value, keyword.value, file)
