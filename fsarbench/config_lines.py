"""Where in a config file, or in a base of it, each key is written."""

import ast
from pathlib import Path

from fsarbench.config.bases import base_path, bases
from fsarbench.config.variants import label, source


def lines_of(file: Path) -> dict[str, str]:
    """The place `file:line` of every dotted key that a config or a base of it writes down.

    What the file itself says comes before what its bases say.
    """
    found: dict[str, str] = {}
    tree = ast.parse(source(file))
    for node in tree.body:
        for target in assigned(node):
            key = key_of(target)
            value = getattr(node, "value", None)
            if key and value is not None:
                note_lines(found, key, node, value, file)
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
    if isinstance(value, ast.Dict):
        for name, item in zip(value.keys, value.values, strict=True):
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                note_lines(found, f"{key}.{name.value}", item, item, file)


def assigned(node: ast.stmt) -> list[ast.expr]:
    """The targets of an assignment; none for any other statement."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def key_of(target: ast.expr) -> str | None:
    """The dotted key of `name`, `name["key"]` or `name.key`; None for anything else.

    Example:
        >>> key_of(ast.parse("train['lr']", mode="eval").body)
        'train.lr'
    """
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        outer = key_of(target.value)
        return outer and f"{outer}.{target.slice.value!s}"
    if isinstance(target, ast.Attribute):
        outer = key_of(target.value)
        return outer and f"{outer}.{target.attr}"
    return None
