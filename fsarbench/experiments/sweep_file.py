"""A sweep file: named rows, each a config with what is set over it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fsarbench.config.loading import find_config, read_values
from fsarbench.errors import UserError, nearest


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row before the grid.

    Attributes:
        config: A config file, or the name of one that the package carries.
        name: What it is called, maybe with places such as `{matcher.type}`; None for the config's
            name.
        set: Overrides, as after `--set`.
        seeds: The training seeds; None for those of the config.
    """

    config: str
    name: str | None = None
    set: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None

    @property
    def overrides(self) -> list[str]:
        """What is set over the config, the seeds included."""
        return [*self.set, *([] if self.seeds is None else [f"seeds={list(self.seeds)}"])]


@dataclass(frozen=True)
class Sweep:
    """Rows with their title and description.

    Attributes:
        name: What the sweep is called.
        about: The file's docstring.
        rows: In the order in which they stand in the table.
    """

    name: str
    about: str
    rows: tuple[Row, ...]


def read_sweep(path: str) -> Sweep:
    """A sweep file, or a config as a sweep of one row.

    Raises:
        UserError: It is missing, does not run, or a row is not as it should be.
    """
    file = find_config(path)
    values = read_values(file)
    if "rows" not in values:
        return Sweep(file.stem, "", (Row(config=path),))
    others = sorted(values.keys() - {"rows", "seeds"})
    if others or not isinstance(values["rows"], list) or not values["rows"]:
        raise UserError(
            f"{file}: a sweep has rows = [dict(config=..., ...), ...] and may have seeds = [...]"
            f"{'; not ' + ', '.join(others) if others else ''}."
        )
    rows = [row_of(file, entry, values.get("seeds")) for entry in values["rows"]]
    return Sweep(file.stem, about(file), tuple(rows))


def row_of(file: Path, entry: Any, seeds: Any) -> Row:
    """One row of a file.

    Raises:
        UserError: A key is unknown, or the config is missing.
    """
    known = [field.name for field in fields(Row)]
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), str):
        raise UserError(f"{file}: a row is dict(config='NAME', ...), not {entry!r}.")
    for key in entry.keys() - set(known):
        raise UserError(f"{file}: a row has no '{key}'.{nearest(key, known)}")
    given = {"seeds": seeds, **entry}
    for key in ("set", "seeds"):
        if given.get(key) is not None and not isinstance(given[key], list | tuple):
            raise UserError(f"{file}: {key} is a list, not {given[key]!r}.")
    wanted = given["seeds"]
    return Row(
        config=given["config"],
        name=given.get("name"),
        set=tuple(given.get("set", ())),
        seeds=None if wanted is None else tuple(wanted),
    )


def about(file: Path) -> str:
    """The docstring of a file; empty where it has none."""
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
