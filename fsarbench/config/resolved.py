"""Writing of resolved configs with the origin of each key, and reading without running code.

The `config.py` of a run folder has only `key = literal` statements. It is read as data, because the
folder may come from another person.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import LoadedConfig, import_custom_modules
from fsarbench.errors import UserError


def load_resolved_config(file: Path, trust: bool = False, text: str | None = None) -> LoadedConfig:
    """Load the `config.py` of a run folder without running it.

    Args:
        file: Resolved config.
        trust: Whether to import the modules of `custom_imports`, which runs their code.
        text: Text of the config, if it is in a file of another kind; None to read the file.

    Raises:
        UserError: The file is missing, has statements other than `key = literal`, or has
            `custom_imports` while `trust` is False.
    """
    values = read_resolved(file) if text is None else parse_resolved(text, file)
    custom_imports = values.pop("custom_imports", None)
    if custom_imports is not None and not trust:
        raise UserError(
            f"{file}: custom_imports is {custom_imports!r}. Importing a module runs its code, "
            "which may be part of this folder. Read the code first, then add --trust."
        )
    return LoadedConfig(file, values, imports=import_custom_modules(custom_imports, file))


def read_resolved(file: Path) -> dict[str, Any]:
    """Values of a resolved config by top-level key.

    Raises:
        UserError: The file is missing, or a statement is not `key = literal`.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror or error}).") from None
    except ValueError as error:
        raise UserError(f"{file}:1: invalid Python syntax ({error}).") from None
    return parse_resolved(text, file)


def parse_resolved(text: str, file: Path) -> dict[str, Any]:
    """Values of the text of a resolved config by top-level key.

    Args:
        text: Text of the config.
        file: Where it is from, for messages.

    Raises:
        UserError: A statement is not `key = literal`.
    """
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UserError(f"{file}:{line}: invalid Python syntax ({error}).") from None
    values: dict[str, Any] = {}
    for statement in tree.body:
        name, value = _assignment(statement, file)
        values[name] = _literal(value, file)
    return values


def _assignment(statement: ast.stmt, file: Path) -> tuple[str, ast.expr]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        # In a resolved config, the bases are already merged.
        if isinstance(target, ast.Name) and target.id != "_base_":
            return target.id, statement.value
    raise _not_literal(statement, file)


def _literal(node: ast.expr, file: Path) -> Any:
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        if None not in node.keys:  # None is the key of `**other`
            return {_literal(k, file): _literal(v, file) for k, v in pairs if k is not None}
    if isinstance(node, ast.Call) and _is_dict(node):
        return {str(key.arg): _literal(key.value, file) for key in node.keywords}
    if isinstance(node, ast.List | ast.Tuple):
        items = [_literal(item, file) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise _not_literal(node, file) from None


def _is_dict(node: ast.Call) -> bool:
    calls_dict = isinstance(node.func, ast.Name) and node.func.id == "dict"
    return calls_dict and not node.args and all(key.arg is not None for key in node.keywords)


def _not_literal(node: ast.stmt | ast.expr, file: Path) -> UserError:
    return UserError(
        f"{file}:{node.lineno}: the config of a run is read as data and never run. Expected 'key = "
        "value' with numbers, strings, lists and dict(...) only. Repeat the run to write the "
        "config again."
    )


def resolved_text(loaded: LoadedConfig) -> str:
    """Text of a config file with all bases and overrides merged.

    A comment above each key lists the files and overrides that set it.
    """
    text = loaded.text()
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            origins = ", ".join(dict.fromkeys(origins_of(node.targets[0].id, loaded)))
            if origins:
                lines.insert(node.lineno - 1, f"# {origins}")
    return "\n".join([f"# {loaded.name} with all bases merged.", *lines, ""])


def origins_of(key: str, loaded: LoadedConfig) -> Iterator[str]:
    """Yield the files that set a top-level key or a key nested in it, then the overrides."""
    locations = lines_of(loaded.file)
    for name in sorted(locations):
        if name.partition(".")[0] == key:
            yield short_path(Path(locations[name].rpartition(":")[0]))
    for name, override in loaded.overrides.items():
        if name.partition(".")[0] == key:
            yield f"--set {override}"


def short_path(file: Path) -> str:
    """Path relative to the folder of the package's configs; other paths are unchanged."""
    folder = resource("configs")
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)
