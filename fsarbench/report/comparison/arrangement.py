"""Arrangement of comparison tables: selected columns, renamed rows, and the order of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import tomllib

from fsarbench.errors import UserError, nearest
from fsarbench.report.comparison.rows import Row

KEYS = ("columns", "rename", "order")


@dataclass(frozen=True)
class Arrangement:
    """Selected columns, renamed rows and order of rows; empty values change nothing.

    Attributes:
        columns: Keys or headers of the columns, in their order; the method is always first.
        rename: New names of rows by old name.
        order: Old or new names of the first rows; the other rows follow in their usual order.
    """

    columns: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Rename and order rows.

        Raises:
            UserError: A name is not that of a row, or two rows would have the same name.
        """
        names = list(dict.fromkeys(row.name for row in rows))
        for old in self.rename:
            if old not in names:
                raise UserError(f"--rename {old}=...: there is no such row.{nearest(old, names)}")
        renamed = [replace(row, label=self.name(row.name)) for row in rows]
        check_distinct(names, [self.name(name) for name in names])
        known = [self.name(name) for name in names]
        first = []
        for name in self.order:
            if self.name(name) not in known:
                raise UserError(f"--order {name}: there is no such row.{nearest(name, known)}")
            first.append(self.name(name))
        # Python's sort is stable: rows that are not named keep their order.
        return sorted(renamed, key=lambda row: (*first, row.name).index(row.name))

    def name(self, old: str) -> str:
        """New name of a row; the old one if it is not renamed.

        Example:
            >>> Arrangement(rename={"aim_run7": "AIM"}).name("aim_run7")
            'AIM'
        """
        return self.rename.get(old, old)


def check_distinct(old: Sequence[str], new: Sequence[str]) -> None:
    """Check that no two rows have the same new name.

    Raises:
        UserError: Two rows would have the same name.
    """
    seen: dict[str, str] = {}
    for before, after in zip(old, new, strict=True):
        if after in seen:
            raise UserError(
                f"--rename: '{seen[after]}' and '{before}' would both be called '{after}'. "
                "Runs that differ only in their seed share a row without being renamed."
            )
        seen[after] = before


def arrangement(
    columns: Iterable[str] | None = None,
    rename: Mapping[str, str] | None = None,
    order: Iterable[str] | None = None,
    layout: str | Path | None = None,
) -> Arrangement:
    """Arrangement from arguments and a file; an argument replaces the value of the file.

    Args:
        columns: Keys or headers of columns.
        rename: New names of rows by old name, added to those of the file.
        order: Names of the first rows.
        layout: TOML file with `columns`, `order` and a table `rename`.

    Raises:
        UserError: The file cannot be read, or has an unknown key or a value of a wrong type.
    """
    given = Arrangement() if layout is None else read_layout(Path(layout))
    return Arrangement(
        columns=given.columns if columns is None else strings(columns),
        rename={**given.rename, **(rename or {})},
        order=given.order if order is None else strings(order),
    )


def from_options(
    columns: str | None, rename: Sequence[str] | None, order: str | None, layout: str | None
) -> Arrangement:
    """Arrangement from the options of the command line.

    Raises:
        UserError: As `arrangement`; or a `--rename` has no `=`.
    """
    pairs = [text.partition("=") for text in rename or ()]
    for old, equals, new in pairs:
        if not (old and equals and new):
            raise UserError(f"--rename {old}{equals}{new}: expected OLD=NEW.")
    return arrangement(
        columns=None if columns is None else separated(columns),
        rename={old.strip(): new.strip() for old, _, new in pairs},
        order=None if order is None else separated(order),
        layout=layout,
    )


def separated(text: str) -> list[str]:
    """Names in a comma-separated list.

    Example:
        >>> separated("accuracy, trainable")
        ['accuracy', 'trainable']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def strings(names: Iterable[str]) -> tuple[str, ...]:
    """Names as a tuple without repetitions; a single string is one name."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def read_layout(path: Path) -> Arrangement:
    """Arrangement from a TOML file.

    Raises:
        UserError: The file cannot be read, or has an unknown key or a value of a wrong type.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"--layout {path}: not a readable TOML file ({error}).") from error
    for key, value in content.items():
        if key not in KEYS:
            raise UserError(f"{path}: unknown key '{key}'.{nearest(key, KEYS)}")
        check_value(path, key, value)
    return Arrangement(
        strings(content.get("columns", ())),
        content.get("rename", {}),
        strings(content.get("order", ())),
    )


def check_value(path: Path, key: str, value: Any) -> None:
    """Check the type of a value of the file.

    Raises:
        UserError: `rename` is not a table of texts, or another key is not a list of texts.
    """
    names: Iterable[Any] | Literal[False]
    if key == "rename":
        names, expected = isinstance(value, dict) and value.values(), 'lines "old" = "new"'
    else:
        names, expected = isinstance(value, list) and value, '["name", ...]'
    if names is False or not all(isinstance(name, str) and name for name in names):
        raise UserError(f"{path}: {key} must be {expected}.")
