"""Resolved configs: written with the origin of each key, and read from runs without running them.

A run folder may come from somebody else. Its `config.py` is a list of `key = value` lines whose
values are literals, so that nothing in it needs to be run to rebuild the run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import LoadedConfig, import_customs
from fsarbench.errors import UserError


def load_resolved_config(file: Path, trust: bool = False) -> LoadedConfig:
    """Load the `config.py` of a run folder without running it.

    Args:
        file: The resolved config.
        trust: Import the modules that its `custom_imports` names, which runs their code.

    Raises:
        UserError: The file is missing or holds something other than literals, or it names modules
            and `trust` is off.
    """
    values = read_resolved(file)
    customs = values.pop("custom_imports", None)
    if customs is not None and not trust:
        raise UserError(
            f"{file}: custom_imports names modules {customs!r}, and importing a module runs its "
            "code, which may have come with this folder. Read that code first, then add --trust."
        )
    return LoadedConfig(file, values, imports=import_customs(customs, file))


def read_resolved(file: Path) -> dict[str, Any]:
    """The values of a resolved config by top-level name.

    Raises:
        UserError: The file is missing, or a line of it is not `key = literal`.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror or error}).") from None
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UserError(f"{file}:{line}: this is not Python text ({error}).") from None
    values: dict[str, Any] = {}
    for statement in tree.body:
        name, value = _assignment(statement, file)
        values[name] = _literal(value, file)
    return values


def _assignment(statement: ast.stmt, file: Path) -> tuple[str, ast.expr]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        # A resolved config has its bases merged already.
        if isinstance(target, ast.Name) and target.id != "_base_":
            return target.id, statement.value
    raise _refused(statement, file)


def _literal(node: ast.expr, file: Path) -> Any:
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        if None not in node.keys:  # None stands for `**other`
            return {_literal(k, file): _literal(v, file) for k, v in pairs if k is not None}
    if isinstance(node, ast.Call) and _is_dict(node):
        return {str(key.arg): _literal(key.value, file) for key in node.keywords}
    if isinstance(node, ast.List | ast.Tuple):
        items = [_literal(item, file) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise _refused(node, file) from None


def _is_dict(node: ast.Call) -> bool:
    named = isinstance(node.func, ast.Name) and node.func.id == "dict"
    return named and not node.args and all(key.arg is not None for key in node.keywords)


def _refused(node: ast.stmt | ast.expr, file: Path) -> UserError:
    return UserError(
        f"{file}:{node.lineno}: the config of a run is read as data and never run; this line is "
        "not 'key = value' with numbers, texts, lists and dict(...) alone. Run the config again to "
        "write it again."
    )


def resolved_text(loaded: LoadedConfig) -> str:
    """The resolved config; it can be saved, edited and run, and needs no base.

    Above each key a comment names the files that set it, and the overrides.
    """
    text = loaded.text()
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            origins = ", ".join(dict.fromkeys(origins_of(node.targets[0].id, loaded)))
            if origins:
                lines.insert(node.lineno - 1, f"# {origins}")
    return "\n".join([f"# {loaded.name}, with all its bases.", *lines, ""])


def origins_of(key: str, loaded: LoadedConfig) -> Iterator[str]:
    """The files that set a top-level key or a key below it, then the overrides."""
    written = lines_of(loaded.file)
    for name in sorted(written):
        if name.partition(".")[0] == key:
            yield short(Path(written[name].rpartition(":")[0]))
    for name, override in loaded.overrides.items():
        if name.partition(".")[0] == key:
            yield f"--set {override}"


def short(file: Path) -> str:
    """The path inside the folder of the package's configs; another path as it is."""
    folder = resource("configs")
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)
