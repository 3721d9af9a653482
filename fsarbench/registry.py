"""Registry of each slot.

A component is registered by a decorator, inside the project or in a user's own file::

    from fsarbench.registry import ADAPTERS

    @ADAPTERS.register_module()
    class MyAdapter(Adapter): ...

Built-in components are listed in the `__init__` of their slot's package, components of other
installed packages in the metadata of those packages (`fsarbench.catalogue.entry_points`). Both are
imported when a config names them.
"""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from fsarbench.catalogue.entry_points import DiscoveredComponent, components_of_slot
from fsarbench.errors import UserError, nearest
from fsarbench.runtime.shape_checks import enforce_also


class SlotRegistry(Registry):
    """Registry of one slot; rejects classes without the slot's interface and reports name clashes.

    Args:
        slot: Name of the slot in configs.
        base: Module and name of the base class of the slot's components, as `module:Class`. The
            module is imported when the class is first used, because most of them import torch.
        package: Package of the built-in components; its `COMPONENTS` maps names to modules.
    """

    def __init__(self, slot: str, base: str, package: str) -> None:
        super().__init__(slot, scope="fsarbench")
        self.base = base
        self.package = package

    @property
    def component(self) -> type[Any]:
        """Base class of the slot's components."""
        module, _, name = self.base.partition(":")
        found: type[Any] = getattr(importlib.import_module(module), name)
        return found

    def built_in(self) -> Mapping[str, str]:
        """Names and modules of the built-in components, without importing them."""
        table: Mapping[str, str] = importlib.import_module(self.package).COMPONENTS
        return table

    def import_built_in(self, name: str) -> None:
        """Import, and thereby register, a built-in component; other names are ignored."""
        if name in self.built_in():
            importlib.import_module(f"{self.package}.{self.built_in()[name]}")

    def get(self, key: str) -> Any:
        """Component of that name, as in mmengine; a built-in component is imported first."""
        self.import_built_in(self.split_scope_key(key)[1])
        return super().get(key)

    def _register_module(
        self, module: Any, module_name: str | list[str] | None = None, force: bool = False
    ) -> None:
        if not (inspect.isclass(module) and issubclass(module, self.component)):
            raise UserError(
                f"{class_location(module)} cannot be registered in the slot '{self.name}': "
                f"it is not a subclass of {self.component.__module__}.{self.component.__name__}."
            )
        names = [module_name] if isinstance(module_name, str) else module_name
        for name in names or [module.__name__]:
            if not module.__module__.startswith(f"{self.package}."):
                self.import_built_in(name)  # otherwise the name would seem to be free
            taken = self._module_dict.get(name)
            # A module that is imported twice registers the same class again.
            if taken is not None and class_location(taken) != class_location(module) and not force:
                raise UserError(
                    f"The name '{name}' is already taken in the slot '{self.name}' by "
                    f"{class_location(taken)}; "
                    f"register {class_location(module)} under another name, or with force=True."
                )
        super()._register_module(module, module_name, force=True)

    def find(self, name: str) -> type[Any]:
        """Import and return the component of that name.

        Raises:
            UserError: The name is unknown; the message gives the nearest and all known names.
        """
        self.import_built_in(name)
        if name not in self._module_dict:
            import_discovered(components_of_slot(self.name).get(name, []))
        if name in self._module_dict:
            return self._module_dict[name]
        raise UserError(f"Unknown {self.name} '{name}'.{nearest(name, self.known())}")

    def known(self) -> list[str]:
        """Sorted names of all components, including those of other installed packages."""
        return sorted({*self._module_dict, *self.built_in(), *components_of_slot(self.name)})


def import_discovered(components: list[DiscoveredComponent]) -> None:
    """Import the module of another package that registers a component, if there is one.

    Raises:
        UserError: Two packages claim the name, or the module cannot be imported or does not
            register the component.
    """
    if len(components) > 1:
        origins = ", ".join(component.origin for component in components)
        raise UserError(
            f"{components[0].slot} '{components[0].name}' comes with more than one installed "
            f"package ({origins}): uninstall all but one."
        )
    for component in components:
        claim = (
            f"{component.origin} says that '{component.module}' registers {component.slot} "
            f"'{component.name}'"
        )
        enforce_also(component.module)
        try:
            importlib.import_module(component.module)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{claim}, but it cannot be imported ({type(error).__name__}: {error}). Fix or "
                "uninstall that package."
            ) from error
        if component.name not in SLOTS[component.slot].module_dict:
            raise UserError(f"{claim}, but it does not. Fix or uninstall that package.")


def class_location(thing: Any) -> str:
    """Module, name and file of a class, as `module.Name (file)`."""
    name = f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', thing)}"
    try:
        return f"{name} ({inspect.getsourcefile(thing)})"
    except (TypeError, OSError):  # built in, or defined in an interactive session
        return name


INTERFACES = "fsarbench.interfaces"
READERS = SlotRegistry("reader", "fsarbench.video:VideoReader", "fsarbench.data.readers")
DATASETS = SlotRegistry("dataset", "fsarbench.video:VideoDataset", "fsarbench.data.datasets")
TEXT_ENCODERS = SlotRegistry("text_encoder", INTERFACES + ":TextEncoder", "fsarbench.text_encoders")
BACKBONES = SlotRegistry("backbone", INTERFACES + ":Backbone", "fsarbench.backbones")
ADAPTERS = SlotRegistry("adapter", INTERFACES + ":Adapter", "fsarbench.adapters")
NECKS = SlotRegistry("neck", INTERFACES + ":Neck", "fsarbench.necks")
PROTOTYPES = SlotRegistry("prototypes", INTERFACES + ":PrototypeBuilder", "fsarbench.prototypes")
MATCHERS = SlotRegistry("matcher", INTERFACES + ":Matcher", "fsarbench.matchers")
LOSSES = SlotRegistry("losses", INTERFACES + ":Loss", "fsarbench.losses")
READOUTS = SlotRegistry("readout", INTERFACES + ":Readout", "fsarbench.readouts")

SLOTS: dict[str, SlotRegistry] = {
    registry.name: registry
    for registry in (
        READERS,
        DATASETS,
        TEXT_ENCODERS,
        BACKBONES,
        ADAPTERS,
        NECKS,
        PROTOTYPES,
        MATCHERS,
        LOSSES,
        READOUTS,
    )
}
