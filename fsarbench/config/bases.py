"""Where the bases of a config are: beside it, or among the configs that the package carries.

mmengine looks for a base beside the file alone, so that a config outside the project could not
build on one inside. Such a file is loaded from a copy in which its bases are full paths. mmengine
also takes everything that a config imports or defines for a key; the copy forgets such names.
"""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from fsarbench.catalogue.config_variants import is_composed, label, source
from fsarbench.catalogue.package_data import resource


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


def inline_bases(file: Path, folder: Path, keys: Collection[str]) -> Path:
    """The config itself, or a copy that mmengine reads as it is meant.

    A composed config has no file, so that it is always a copy.

    A copy is made where a base is not beside the config, and where the config has helper names.
    Lines keep their numbers. A file that cannot be parsed is left to the loader.

    Args:
        file: The config.
        folder: Where copies go.
        keys: The keys that a config may set; an import may set one, too.
    """
    try:
        text = source(file)
        tree = ast.parse(text)
        found = bases(tree)
    except (OSError, SyntaxError, ValueError):
        return file
    node, names = found or (None, [])
    paths = [inline_bases(base_path(file, name), folder, keys) for name in names]
    helpers = sorted(set(helper_names(tree.body)) - set(keys))
    beside = paths == [file.parent / name for name in names]
    if beside and not helpers and not is_composed(file):
        return file
    lines = with_own_place(text, file).splitlines()
    if node is not None:
        last = node.end_lineno or node.lineno
        padding = [""] * (last - node.lineno)
        full = [str(path.resolve()) for path in paths]
        lines[node.lineno - 1 : last] = [f"_base_ = {full!r}", *padding]
    if helpers:
        lines.append(f"[globals().pop(name, None) for name in {helpers!r}]")
    copy = folder / f"{len(list(folder.iterdir()))}_{file.name}"
    copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


def helper_names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that imports, definitions, loops and `with` leave in a config.

    A misspelt key is an assignment, so these are no keys; neither are names with an underscore in
    front, except mmengine's own.

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
    """The statements inside an `if`, a loop, a `with` or a `try`."""
    for part in (node, *getattr(node, "handlers", [])):
        yield from (getattr(part, name, []) for name in ("body", "orelse", "finalbody"))


def _bound(target: ast.AST | None) -> Iterator[str]:
    for node in ast.walk(target) if target else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id != "_base_":
            yield node.id


def with_own_place(source: str, file: Path) -> str:
    """The source with mmengine's names for a config's own place, which a copy would get wrong."""
    own = file.absolute()
    names = {
        "fileDirname": own.parent.as_posix(),
        "fileBasename": own.name,
        "fileBasenameNoExtension": own.stem,
        "fileExtname": own.suffix,
    }
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: names.get(m[1], m[0]), source)


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
