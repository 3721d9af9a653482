"""Parts of other installed packages, found by their metadata without importing them.

A package names each of its parts in the entry-point group `fsarbench.parts`: `slot.Name` points to
the module that registers it. Cards, where it brings some, lie in a folder `registry` inside the
package, as they do in this project.
"""

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

GROUP = "fsarbench.parts"


@dataclass(frozen=True)
class DiscoveredComponent:
    """One part that an installed package names.

    Attributes:
        slot: The slot of the registry.
        name: The registered name.
        module: What is imported when a config names it.
        origin: The package and its version.
    """

    slot: str
    name: str
    module: str
    origin: str

    @property
    def place(self) -> Path:
        """The folder of its top-level package, or its file; found without importing it."""
        spec = importlib.util.find_spec(self.module.partition(".")[0])
        if spec is None:
            return Path(self.module)
        folders = spec.submodule_search_locations
        return Path(next(iter(folders))) if folders else Path(spec.origin or self.module)

    def cards(self) -> list[Path]:
        """The files of all cards of its package."""
        return sorted((self.place / "registry").glob("*/*.toml"))


@cache
def discovered() -> tuple[DiscoveredComponent, ...]:
    """All parts that installed packages name, by slot and name."""
    found = (read(entry) for entry in entry_points(group=GROUP))
    return tuple(sorted(found, key=lambda part: (part.slot, part.name, part.origin)))


def read(entry: EntryPoint) -> DiscoveredComponent:
    """What an entry point says; one without a slot before its name belongs to no slot."""
    slot, _, name = entry.name.rpartition(".")
    return DiscoveredComponent(slot, name, entry.module, origin(entry.dist))


def origin(distribution: Distribution | None) -> str:
    """The name and version of a package."""
    if distribution is None:
        return "an unnamed package"
    return f"{distribution.name} {distribution.version}"


def components_of_slot(slot: str) -> dict[str, list[DiscoveredComponent]]:
    """The discovered parts of a slot by name; two packages may claim one name."""
    parts: dict[str, list[DiscoveredComponent]] = {}
    for part in discovered():
        if part.slot == slot:
            parts.setdefault(part.name, []).append(part)
    return parts
