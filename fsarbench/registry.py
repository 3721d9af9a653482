"""One registry a slot.

A part registers itself with a decorator, inside the project or in a user's own file::

    from fsarbench.registry import ADAPTERS

    @ADAPTERS.register_module()
    class MyAdapter(Adapter): ...

A built-in part is known by the table in the `__init__` of its slot, a part of an installed package
by the package's metadata (`fsarbench.catalogue.entry_points`). Both are imported when a config
names them.
"""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from fsarbench.catalogue.entry_points import DiscoveredComponent, of_slot
from fsarbench.errors import UserError, nearest
from fsarbench.interfaces import (
    Adapter,
    Backbone,
    Loss,
    Matcher,
    PrototypeBuilder,
    Readout,
    TextEncoder,
)
from fsarbench.runtime.shape_checks import enforce_also
from fsarbench.video import VideoDataset, VideoReader


class SlotRegistry(Registry):
    """The known components of one slot; it refuses what is none, and says where a name is taken.

    Args:
        slot: The slot's name in configs.
        component: The class that every component of the slot derives from.
        package: The package of the built-in components; its table `COMPONENTS` names their modules.
    """

    def __init__(self, slot: str, component: type[Any], package: str) -> None:
        super().__init__(slot, scope="fsarbench")
        self.component = component
        self.package = package

    def built_in(self) -> Mapping[str, str]:
        """The names of the built-in components and their modules; none of them is imported."""
        table: Mapping[str, str] = importlib.import_module(self.package).COMPONENTS
        return table

    def import_built_in(self, name: str) -> None:
        """Import the module of a built-in component, which registers it; other names do nothing."""
        if name in self.built_in():
            importlib.import_module(f"{self.package}.{self.built_in()[name]}")

    def get(self, key: str) -> Any:
        """As mmengine's; a built-in component is imported first."""
        self.import_built_in(self.split_scope_key(key)[1])
        return super().get(key)

    def _register_module(
        self, module: Any, module_name: str | list[str] | None = None, force: bool = False
    ) -> None:
        if not (inspect.isclass(module) and issubclass(module, self.component)):
            raise UserError(
                f"{place(module)} cannot be registered in the slot '{self.name}': "
                f"it is no subclass of {self.component.__module__}.{self.component.__name__}."
            )
        names = [module_name] if isinstance(module_name, str) else module_name
        for name in names or [module.__name__]:
            if not module.__module__.startswith(f"{self.package}."):
                self.import_built_in(name)  # else its name would seem to be free
            taken = self._module_dict.get(name)
            # A module that is imported a second time registers the same class again.
            if taken is not None and place(taken) != place(module) and not force:
                raise UserError(
                    f"The name '{name}' is taken in the slot '{self.name}' by {place(taken)}; "
                    f"register {place(module)} under another name, or with force=True."
                )
        super()._register_module(module, module_name, force=True)

    def find(self, name: str) -> type[Any]:
        """The component of that name, whose module is imported by this; no other component is.

        Raises:
            UserError: There is none; the message gives the nearest name and all known ones.
        """
        self.import_built_in(name)
        if name not in self._module_dict:
            import_discovered(of_slot(self.name).get(name, []))
        if name in self._module_dict:
            return self._module_dict[name]
        raise UserError(f"Unknown {self.name} '{name}'.{nearest(name, self.known())}")

    def known(self) -> list[str]:
        """The names of all components, sorted, those of other installed packages among them."""
        return sorted({*self._module_dict, *self.built_in(), *of_slot(self.name)})


def import_discovered(parts: list[DiscoveredComponent]) -> None:
    """Import the module that registers a part; do nothing where no package names it.

    Raises:
        UserError: Two packages name it, its module cannot be imported, or does not register it.
    """
    if len(parts) > 1:
        claims = ", ".join(part.origin for part in parts)
        raise UserError(
            f"{parts[0].slot} '{parts[0].name}' comes with more than one installed package "
            f"({claims}): uninstall all but one."
        )
    for part in parts:
        promise = f"{part.origin} says that '{part.module}' registers {part.slot} '{part.name}'"
        enforce_also(part.module)
        try:
            importlib.import_module(part.module)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{promise}, but it cannot be imported ({type(error).__name__}: {error}). Mend or "
                "uninstall that package."
            ) from error
        if part.name not in SLOTS[part.slot].module_dict:
            raise UserError(f"{promise}, but it does not. Mend or uninstall that package.")


def place(thing: Any) -> str:
    """Where a class was written, as `module.Name (file)`."""
    name = f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', thing)}"
    try:
        return f"{name} ({inspect.getsourcefile(thing)})"
    except (TypeError, OSError):  # built in, or written in an interactive session
        return name


READERS = SlotRegistry("reader", VideoReader, "fsarbench.data.readers")
DATASETS = SlotRegistry("dataset", VideoDataset, "fsarbench.data.datasets")
TEXT_ENCODERS = SlotRegistry("text_encoder", TextEncoder, "fsarbench.text_encoders")
BACKBONES = SlotRegistry("backbone", Backbone, "fsarbench.backbones")
ADAPTERS = SlotRegistry("adapter", Adapter, "fsarbench.adapters")
PROTOTYPES = SlotRegistry("prototypes", PrototypeBuilder, "fsarbench.prototypes")
MATCHERS = SlotRegistry("matcher", Matcher, "fsarbench.matchers")
LOSSES = SlotRegistry("losses", Loss, "fsarbench.losses")
READOUTS = SlotRegistry("readout", Readout, "fsarbench.readouts")

SLOTS: dict[str, SlotRegistry] = {
    registry.name: registry
    for registry in (
        READERS,
        DATASETS,
        TEXT_ENCODERS,
        BACKBONES,
        ADAPTERS,
        PROTOTYPES,
        MATCHERS,
        LOSSES,
        READOUTS,
    )
}
