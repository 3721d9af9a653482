"""Sections side by side: what the same runs reached in several settings stands in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fsarbench.report.comparison.columns import Column
from fsarbench.report.comparison.table import Line, Section, Setting


@dataclass(frozen=True)
class Entry:
    """One line of a sheet.

    Attributes:
        lines: Of the same runs, by setting.
    """

    lines: Mapping[Setting, Line]

    @property
    def head(self) -> Line:
        """Stands for all settings in what these share; it is the best where it is so in all."""
        lines = list(self.lines.values())
        notes = "".join(dict.fromkeys("".join(line.notes for line in lines)))
        best, level = (all(getattr(line, key) for line in lines) for key in ("best", "level"))
        return replace(lines[0], notes=notes, best=best, level=level)

    def line(self, column: Column) -> Line | None:
        """The line that a column speaks of; None where these runs were not tested in its setting.

        Example:
            >>> Entry({}).line(Column("5-shot (%)", str, setting=("ssv2", 5, 5))) is None
            True
        """
        return self.head if column.setting is None else self.lines.get(column.setting)


@dataclass(frozen=True)
class Sheet:
    """One table.

    Attributes:
        sections: Its settings; more than one only where they have runs in common.
    """

    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Data set and settings in words."""
        first, *others = self.sections
        return ", ".join([first.title, *(section.task for section in others)])

    @property
    def several(self) -> tuple[Setting, ...]:
        """The settings, where there are several."""
        settings = tuple(section.setting for section in self.sections)
        return settings if len(settings) > 1 else ()

    @property
    def entries(self) -> list[Entry]:
        """The lines, in the order in which their names first come."""
        found: dict[str, dict[Setting, Line]] = {}
        for section in self.sections:
            for line in section.lines:
                found.setdefault(line.row.name, {})[section.setting] = line
        return [Entry(lines) for lines in found.values()]


def sheets(sections: Sequence[Section]) -> list[Sheet]:
    """Sections of the same runs together, others alone."""
    found: list[Sheet] = []
    for section in sections:
        place = next((i for i, sheet in enumerate(found) if _belongs(section, sheet)), None)
        if place is None:
            found.append(Sheet((section,)))
        else:
            found[place] = Sheet((*found[place].sections, section))
    return found


def _belongs(section: Section, sheet: Sheet) -> bool:
    # A name that stands for other runs, or other seeds, in the other setting makes another table.
    if section.setting[0] != sheet.sections[0].setting[0]:
        return False
    there = {name: runs for other in sheet.sections for name, runs in _folders(other).items()}
    here = _folders(section)
    shared = here.keys() & there.keys()
    return bool(shared) and all(here[name] == there[name] for name in shared)


def _folders(section: Section) -> dict[str, list[str]]:
    return {line.row.name: [str(run.folder) for run in line.row.runs] for line in section.lines}
