"""Constructor arguments of components and settings, checked against annotations."""

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from fsarbench.arguments.value_checks import complaint, fit, is_plain
from fsarbench.errors import UserError, closest

# Invalid or contradictory arguments (the one to change comes first), and a message.
Conflict = tuple[tuple[str, ...], str]


class ArgumentError(UserError):
    """Invalid argument values of a constructor.

    Attributes:
        faults: Names of invalid arguments, and a message for each fault.
    """

    def __init__(self, prefix: str, faults: Sequence[Conflict]) -> None:
        super().__init__("; ".join(f"{prefix}{message}" for _, message in faults) + ".")
        self.faults = faults


class Checked:
    """Base class of all components: constructors check their arguments against the annotations."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in cls.__dict__:
            setattr(cls, "__init__", _checked(cls.__dict__["__init__"]))  # noqa: B010 (for mypy)

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Yield faults that annotations cannot express, without building the component.

        Args:
            given: Arguments of the config and defaults of the others, without arguments that
                violate their annotations.

        Yields:
            Names of the invalid arguments, and a message.
        """
        del given
        return iter(())


def _checked(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapper(self: object, /, *args: Any, **kwargs: Any) -> None:
        require(type(self).__name__, init, self, *args, **kwargs)
        init(self, *args, **kwargs)

    return wrapper


def require(name: str, function: Callable[..., None], /, *args: Any, **kwargs: Any) -> None:
    """Check argument values against the annotations of a function.

    Values that a config cannot contain (tensors, modules) are not checked.

    Raises:
        ArgumentError: Values violate the annotations; the message lists all of them.
    """
    hints = annotations(function)
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return  # The call itself raises Python's own error.
    faults: list[Conflict] = [
        ((argument,), message)
        for argument, value in given.items()
        if argument in hints and is_plain(value)
        for message in [complaint(argument, value, hints[argument])]
        if message is not None
    ]
    if faults:
        raise ArgumentError(f"{name}: ", faults)


class CheckedSettings:
    """Base class of config sections: fields are checked against their annotations.

    Attributes:
        section: Name of the section in configs.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        hints = annotations(type(self).__init__)
        faults: list[Conflict] = [
            ((name,), message)
            for name, value in vars(self).items()
            if is_plain(value)
            for message in [complaint(name, value, hints[name])]
            if message is not None
        ]
        # Rules for several fields assume that each field is valid.
        faults = faults or list(self.conflicts())
        if faults:
            raise ArgumentError(f"{self.section}.", faults)

    def conflicts(self) -> Iterator[Conflict]:
        """Yield names of contradictory fields, and a message for each conflict."""
        return iter(())


@functools.cache
def annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of a function, including the rules for values."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError:  # Names imported under TYPE_CHECKING; such arguments are not checked.
        hints = getattr(function, "__annotations__", {})
        return {name: hint for name, hint in hints.items() if not isinstance(hint, str)}


def parameters(component: type) -> dict[str, inspect.Parameter]:
    """Parameters of a constructor by name, without self."""
    signature = inspect.signature(component).parameters
    # A module without a constructor inherits *args, **kwargs from torch, but takes no argument.
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: p for name, p in signature.items() if p.kind not in variadic}


def describe(component: type) -> str:
    """Signature of a constructor for messages, without the rules for values.

    Example:
        >>> from fsarbench.arguments.value_rules import PositiveFloat
        >>> class Part:
        ...     def __init__(self, width: int, scale: PositiveFloat = 0.5): ...
        >>> describe(Part)
        'Part(width: int, scale: float = 0.5)'
    """
    hints = _without_rules(component.__init__)  # type: ignore[misc]
    arguments = (
        str(p.replace(annotation=hints.get(name, p.annotation)))
        for name, p in parameters(component).items()
    )
    return f"{component.__name__}({', '.join(arguments)})".replace("typing.", "")


def _without_rules(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError:
        return {}


def argument_faults(
    component: type, given: Mapping[str, Any], offered: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Yield the name and a message for each invalid, unknown or missing argument.

    Args:
        component: Class to construct.
        given: Arguments of the config.
        offered: Arguments that are filled in when the model is built; a config must not set them.
    """
    known = parameters(component)
    hints = annotations(component.__init__)  # type: ignore[misc]
    for name, value in given.items():
        if name not in known:
            yield name, unknown_argument(component, name)
        elif name in offered:
            yield name, f"'{name}' is filled in when the model is built; remove it"
        else:
            message = complaint(name, value, hints.get(name, Any))
            if message is not None:
                yield name, message
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in {*given, *offered}:
            yield name, f"the argument '{name}' is missing. {describe(component)}"


def coerce(component: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Convert lists and integers to the types of the constructor's annotations."""
    hints = annotations(component.__init__)  # type: ignore[misc]
    return {name: fit(value, hints.get(name, Any))[0] for name, value in given.items()}


def unknown_argument(component: type, name: str) -> str:
    """Message about an argument that the constructor does not have."""
    hint = closest(name, parameters(component))
    return f"{component.__name__} has no argument '{name}'.{hint} {describe(component)}"
