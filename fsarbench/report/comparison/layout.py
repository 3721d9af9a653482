"""Grouping of comparison sections: several settings of the same runs share one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fsarbench.report.comparison.columns import Column
from fsarbench.report.comparison.table import Line, Section, Setting


@dataclass(frozen=True)
class Entry:
    """One row of a sheet.

    Attributes:
        lines: Comparison lines of the same runs, by setting.
    """

    lines: Mapping[Setting, Line]

    @property
    def head(self) -> Line:
        """Line with the values that all settings share; best or level if it is so in each."""
        lines = list(self.lines.values())
        notes = "".join(dict.fromkeys("".join(line.notes for line in lines)))
        best, level = (all(getattr(line, key) for line in lines) for key in ("best", "level"))
        return replace(lines[0], notes=notes, best=best, level=level)

    def line(self, column: Column) -> Line | None:
        """Return the line of a column's setting; None if these runs were not tested in it.

        Example:
            >>> Entry({}).line(Column("5-shot (%)", str, setting=("ssv2", 5, 5))) is None
            True
        """
        return self.head if column.setting is None else self.lines.get(column.setting)


@dataclass(frozen=True)
class Sheet:
    """One table of the comparison.

    Attributes:
        sections: Sections shown side by side; several only if they have runs in common.
    """

    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Data set and task names."""
        first, *others = self.sections
        return ", ".join([first.title, *(section.task for section in others)])

    @property
    def several(self) -> tuple[Setting, ...]:
        """Settings shown side by side; empty for a single setting."""
        settings = tuple(section.setting for section in self.sections)
        return settings if len(settings) > 1 else ()

    @property
    def entries(self) -> list[Entry]:
        """Rows of the table, in the order of the first occurrence of their names."""
        lines_by_name: dict[str, dict[Setting, Line]] = {}
        for section in self.sections:
            for line in section.lines:
                lines_by_name.setdefault(line.row.name, {})[section.setting] = line
        return [Entry(lines) for lines in lines_by_name.values()]


def sheets(sections: Sequence[Section]) -> list[Sheet]:
    """Group sections of the same runs into one sheet each."""
    grouped: list[Sheet] = []
    for section in sections:
        index = next((i for i, sheet in enumerate(grouped) if _belongs(section, sheet)), None)
        if index is None:
            grouped.append(Sheet((section,)))
        else:
            grouped[index] = Sheet((*grouped[index].sections, section))
    return grouped


def _belongs(section: Section, sheet: Sheet) -> bool:
    # A name that refers to different runs or seeds in the other setting needs a table of its own.
    if section.setting[0] != sheet.sections[0].setting[0]:
        return False
    in_sheet = {name: runs for other in sheet.sections for name, runs in _folders(other).items()}
    in_section = _folders(section)
    shared = in_section.keys() & in_sheet.keys()
    return bool(shared) and all(in_section[name] == in_sheet[name] for name in shared)


def _folders(section: Section) -> dict[str, list[str]]:
    return {line.row.name: [str(run.folder) for run in line.row.runs] for line in section.lines}
