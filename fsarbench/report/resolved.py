"""A config with all bases and overrides applied, as Python with the origin of each key."""

import ast
from collections.abc import Iterator
from pathlib import Path

from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import LoadedConfig


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
