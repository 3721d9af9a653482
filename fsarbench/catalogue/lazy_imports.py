"""Packages whose classes are imported when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_classes(
    package: str, classes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the `__init__` of a package.

    Args:
        package: The package's `__name__`.
        classes: Names of classes to names of the modules that define them.

    Returns:
        Two functions, which Python calls for `from package import Class` and `dir(package)`.

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
