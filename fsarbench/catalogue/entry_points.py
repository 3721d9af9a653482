"""Components of other installed packages, found by entry points without importing them.

A package lists its components in the entry-point group `fsarbench.parts`: `slot.Name` points to the
module that registers the component. Optional cards are in a folder `registry` inside the package.
"""

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path

GROUP = "fsarbench.parts"


@dataclass(frozen=True)
class DiscoveredComponent:
    """A component in the entry points of an installed package.

    Attributes:
        slot: Slot of the registry.
        name: Registered name.
        module: Module that is imported when a config uses the component.
        origin: Name and version of the package.
    """

    slot: str
    name: str
    module: str
    origin: str

    @property
    def location(self) -> Path:
        """Folder of the top-level package, or its file, found without importing it."""
        spec = importlib.util.find_spec(self.module.partition(".")[0])
        if spec is None:
            return Path(self.module)
        folders = spec.submodule_search_locations
        return Path(next(iter(folders))) if folders else Path(spec.origin or self.module)

    def cards(self) -> list[Path]:
        """Files of all cards of the package."""
        return sorted((self.location / "registry").glob("*/*.toml"))


@cache
def discovered() -> tuple[DiscoveredComponent, ...]:
    """All components in entry points of installed packages, by slot and name."""
    components = (read(entry) for entry in entry_points(group=GROUP))
    return tuple(sorted(components, key=lambda c: (c.slot, c.name, c.origin)))


def read(entry: EntryPoint) -> DiscoveredComponent:
    """Component of an entry point; without a slot in its name, the slot is empty."""
    slot, _, name = entry.name.rpartition(".")
    return DiscoveredComponent(slot, name, entry.module, origin(entry.dist))


def origin(distribution: Distribution | None) -> str:
    """Name and version of a package."""
    if distribution is None:
        return "an unnamed package"
    return f"{distribution.name} {distribution.version}"


def components_of_slot(slot: str) -> dict[str, list[DiscoveredComponent]]:
    """Discovered components of a slot by name; several packages may use the same name."""
    by_name: dict[str, list[DiscoveredComponent]] = {}
    for component in discovered():
        if component.slot == slot:
            by_name.setdefault(component.name, []).append(component)
    return by_name
