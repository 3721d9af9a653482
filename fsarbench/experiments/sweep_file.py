"""Sweep files with named rows; each row is a config with overrides."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fsarbench.config.loading import find_config, read_values
from fsarbench.errors import UserError, nearest


@dataclass(frozen=True, kw_only=True)
class Row:
    """Row of a sweep file; the grid makes several rows of it.

    Attributes:
        config: Config file, or name of a config of the package.
        name: Name, possibly with placeholders such as `{matcher.type}`; None for the config name.
        set: Overrides as for `--set`.
        seeds: Training seeds; None for those of the config.
    """

    config: str
    name: str | None = None
    set: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None

    @property
    def overrides(self) -> list[str]:
        """Overrides of the config, including the seeds."""
        return [*self.set, *([] if self.seeds is None else [f"seeds={list(self.seeds)}"])]


@dataclass(frozen=True)
class Sweep:
    """Rows of a sweep with name and description.

    Attributes:
        name: Name of the sweep.
        about: Docstring of the sweep file.
        rows: Rows in the order of the table.
    """

    name: str
    about: str
    rows: tuple[Row, ...]


def read_sweep(path: str) -> Sweep:
    """Read a sweep file, or make a sweep of one row from a config.

    Raises:
        UserError: The file is missing, running it fails, or a row is invalid.
    """
    file = find_config(path)
    values = read_values(file)
    if "rows" not in values:
        return Sweep(file.stem, "", (Row(config=path),))
    others = sorted(values.keys() - {"rows", "seeds"})
    if others or not isinstance(values["rows"], list) or not values["rows"]:
        raise UserError(
            f"{file}: expected rows = [dict(config=..., ...), ...] and optionally seeds = [...]"
            f"{', but found ' + ', '.join(others) if others else ''}."
        )
    rows = [read_row(file, entry, values.get("seeds")) for entry in values["rows"]]
    return Sweep(file.stem, docstring_of(file), tuple(rows))


def read_row(file: Path, entry: Any, seeds: Any) -> Row:
    """Row from an entry of a sweep file.

    Raises:
        UserError: A key is unknown, a value is invalid, or the config is missing.
    """
    known = [field.name for field in fields(Row)]
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), str):
        raise UserError(f"{file}: a row is {entry!r}, expected dict(config='NAME', ...).")
    for key in entry.keys() - set(known):
        raise UserError(f"{file}: unknown key '{key}' in a row.{nearest(key, known)}")
    values = {"seeds": seeds, **entry}
    for key in ("set", "seeds"):
        if values.get(key) is not None and not isinstance(values[key], list | tuple):
            raise UserError(f"{file}: {key} is {values[key]!r}, expected a list.")
    row_seeds = values["seeds"]
    return Row(
        config=values["config"],
        name=values.get("name"),
        set=tuple(values.get("set", ())),
        seeds=None if row_seeds is None else tuple(row_seeds),
    )


def docstring_of(file: Path) -> str:
    """Docstring of a Python file; empty without one."""
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
