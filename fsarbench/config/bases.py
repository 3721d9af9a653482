"""Bases of a config, from the folder of the config or from the package.

mmengine searches bases in the folder of the config only, so a config outside of the package could
not use bases of the package. Such a config is loaded from a copy with absolute paths of its bases.
mmengine also reads every name that a config imports or defines as a key; the copy deletes these.
"""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from fsarbench.catalogue.config_variants import is_composed, label, source
from fsarbench.catalogue.package_data import resource


def bases(tree: ast.Module) -> tuple[ast.Assign, list[str]] | None:
    """Statement `_base_ = ...` of a config and the names of the bases; None without bases."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "_base_":
            value = ast.literal_eval(node.value)
            return node, [value] if isinstance(value, str) else list(value)
    return None


def base_path(file: Path, base: str) -> Path:
    """File of a base, in the folder of the config or else in the package.

    Raises:
        FileNotFoundError: The file is in neither folder.
    """
    nearby, packaged = file.parent / base, resource("configs") / base
    for path in (nearby, packaged):
        if path.is_file() or is_composed(path):
            return path
    raise FileNotFoundError(nearby)


def resolve_bases(file: Path, folder: Path, keys: Collection[str]) -> Path:
    """Path of a config that mmengine can load: the file itself, or a copy with absolute bases.

    A copy is made if a base is in another folder, if the config has helper names, or if the config
    is composed and has no file. The copy keeps the line numbers. A file that cannot be parsed is
    returned as it is, so that loading it reports the error.

    Args:
        file: Config file.
        folder: Folder for the copies.
        keys: Top-level keys of configs. These names are kept, also if they are imported.
    """
    try:
        text = source(file)
        tree = ast.parse(text)
        statement = bases(tree)
    except (OSError, SyntaxError, ValueError):
        return file
    node, names = statement or (None, [])
    paths = [resolve_bases(base_path(file, name), folder, keys) for name in names]
    helpers = sorted(set(helper_names(tree.body)) - set(keys))
    same_folder = paths == [file.parent / name for name in names]
    if same_folder and not helpers and not is_composed(file):
        return file
    lines = with_file_variables(text, file).splitlines()
    if node is not None:
        last = node.end_lineno or node.lineno
        padding = [""] * (last - node.lineno)
        absolute = [str(path.resolve()) for path in paths]
        lines[node.lineno - 1 : last] = [f"_base_ = {absolute!r}", *padding]
    if helpers:
        lines.append(f"[globals().pop(name, None) for name in {helpers!r}]")
    copy = folder / f"{len(list(folder.iterdir()))}_{file.name}"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def helper_names(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names of imports, definitions, loops and `with` in a config, which are no keys.

    Assigned names are keys, which may be misspelt, unless they start with an underscore. Names such
    as `_base_`, which mmengine reads, are not yielded.

    Example:
        >>> code = "from pathlib import Path; lr = 1; _root = Path()"
        >>> list(helper_names(ast.parse(code).body))
        ['Path', '_root']
    """
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
            continue
        elif isinstance(node, ast.Assign):
            names = (name for target in node.targets for name in _bound(target))
            yield from (name for name in names if name[0] == "_" and name[-1] != "_")
        yield from _bound(node.target if isinstance(node, ast.For) else None)
        for item in getattr(node, "items", []):
            yield from _bound(item.optional_vars)
        for block in blocks(node):
            yield from helper_names(block)


def blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements of an `if`, a loop, a `with` or a `try`."""
    for owner in (node, *getattr(node, "handlers", [])):
        yield from (getattr(owner, name, []) for name in ("body", "orelse", "finalbody"))


def _bound(target: ast.AST | None) -> Iterator[str]:
    for node in ast.walk(target) if target else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id != "_base_":
            yield node.id


def with_file_variables(source: str, file: Path) -> str:
    """Replace mmengine's variables for the path of a config, which differ in a copy."""
    path = file.absolute()
    names = {
        "fileDirname": path.parent.as_posix(),
        "fileBasename": path.name,
        "fileBasenameNoExtension": path.stem,
        "fileExtname": path.suffix,
    }
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: names.get(m[1], m[0]), source)


def lines_of(file: Path) -> dict[str, str]:
    """Location `file:line` of every dotted key that a config or one of its bases sets.

    For a key in both, the location in the config is given.
    """
    locations: dict[str, str] = {}
    tree = ast.parse(source(file))
    for node in tree.body:
        for target in assignment_targets(node):
            key = key_of(target)
            value = getattr(node, "value", None)
            if key and value is not None:
                record_lines(locations, key, node, value, file)
    replaced = tuple(
        f"{key.removesuffix('._delete_')}." for key in locations if key.endswith("._delete_")
    )
    _, names = bases(tree) or (None, [])
    for name in names:
        for key, location in lines_of(base_path(file, name)).items():
            if not key.startswith(replaced):
                locations.setdefault(key, location)
    return locations


def record_lines(
    locations: dict[str, str], key: str, node: ast.AST, value: ast.expr, file: Path
) -> None:
    """Record the location of a key and, in a `dict(...)` or `{...}`, of its nested keys."""
    locations[key] = f"{label(file)}:{getattr(node, 'lineno', 0)}"
    if isinstance(value, ast.Call):
        for keyword in value.keywords:
            if keyword.arg:
                record_lines(locations, f"{key}.{keyword.arg}", keyword.value, keyword.value, file)
    if isinstance(value, ast.Dict):
        for name, item in zip(value.keys, value.values, strict=True):
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                record_lines(locations, f"{key}.{name.value}", item, item, file)


def assignment_targets(node: ast.stmt) -> list[ast.expr]:
    """Targets of an assignment; empty for any other statement."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def key_of(target: ast.expr) -> str | None:
    """Dotted key of `name`, `name["key"]` or `name.key`; None for any other expression.

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
