"""What a constructor takes, and what is wrong with the arguments that a config gives it."""

import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from beartype.door import is_bearable

from fsarbench.errors import closest


def parameters(component: type) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name, without self."""
    found = inspect.signature(component).parameters
    # A module without a constructor of its own shows torch's *args, **kwargs, and takes none.
    return {name: p for name, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def describe(component: type) -> str:
    """The constructor as one line, for messages.

    Example:
        >>> class Part:
        ...     def __init__(self, width: int, scale: float = 0.5): ...
        >>> describe(Part)
        'Part(width: int, scale: float = 0.5)'
    """
    arguments = ", ".join(str(p).replace("typing.", "") for p in parameters(component).values())
    return f"{component.__name__}({arguments})"


def argument_faults(
    component: type, given: Mapping[str, Any], offered: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Pairs of an argument's name and what is wrong with it.

    Args:
        component: The class to be constructed.
        given: The arguments of the config.
        offered: The arguments that assembly fills in, which a config may not give.
    """
    known = parameters(component)
    hints = typing.get_type_hints(component.__init__)  # type: ignore[misc]
    for name, value in given.items():
        if name not in known:
            yield name, unknown_argument(component, name)
        elif name in offered:
            yield name, f"'{name}' is a size that the assembly fills in; leave it out"
        elif name in hints and not is_bearable(coerced(value, hints[name]), hints[name]):
            yield name, wrong_type(component, name, value)
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in {*given, *offered}:
            yield name, f"the argument '{name}' is missing. {describe(component)}"


def coerced(value: Any, hint: Any) -> Any:
    """The value, with a list made a tuple and an integer made a float where only those are taken.

    Configs are dumped and overridden as text, where lists and whole numbers are what people write.

    Example:
        >>> coerced([3, 1, 1], tuple[int, int, int])
        (3, 1, 1)
        >>> coerced(1, float | None)
        1.0
    """
    if is_bearable(value, hint):
        return value
    if type(value) is list and is_bearable(tuple(value), hint):
        return tuple(value)
    if type(value) is int and is_bearable(float(value), hint):
        return float(value)
    return value


def coerce(component: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments, coerced to the constructor's annotations."""
    hints = typing.get_type_hints(component.__init__)  # type: ignore[misc]
    return {name: coerced(value, hints.get(name, Any)) for name, value in given.items()}


def unknown_argument(component: type, name: str) -> str:
    """The message on an argument that the constructor does not have."""
    hint = closest(name, parameters(component))
    return f"{component.__name__} has no argument '{name}'.{hint} {describe(component)}"


def wrong_type(component: type, name: str, value: Any) -> str:
    """The message on a value that the annotation refuses."""
    expected = str(parameters(component)[name]).replace("typing.", "")
    return (
        f"'{name}' is {value!r} ({type(value).__name__}), expected {expected}. "
        f"{describe(component)}"
    )
