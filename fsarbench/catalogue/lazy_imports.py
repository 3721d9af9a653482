"""Lazy imports of the classes of a package."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_classes(
    package: str, classes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Create `__getattr__` and `__dir__` for the `__init__` of a package.

    Args:
        package: `__name__` of the package.
        classes: Name of the module for each class.

    Returns:
        Functions that Python calls for `from package import Class` and `dir(package)`.

    Example:
        >>> get, names = lazy_classes("collections", {"Mapping": "abc"})
        >>> get("Mapping").__module__, names()
        ('collections.abc', ['Mapping'])
    """

    def get(name: str) -> Any:
        if name not in classes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f"{package}.{classes[name]}"), name)

    def names() -> list[str]:
        return sorted(classes)

    return get, names
