"""Constructor arguments, and what is wrong with the values that they are given."""

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from fsarbench.arguments.value_checks import complaint, fit, is_plain
from fsarbench.errors import UserError, closest

# Arguments that do not fit together, the one to change first, and what is wrong.
Conflict = tuple[tuple[str, ...], str]


class ArgumentError(UserError):
    """Argument values that a constructor refuses.

    Attributes:
        faults: Pairs of the arguments at fault, and what is wrong with them.
    """

    def __init__(self, prefix: str, faults: Sequence[Conflict]) -> None:
        super().__init__("; ".join(f"{prefix}{message}" for _, message in faults) + ".")
        self.faults = faults


class Checked:
    """Base of all components: constructors hold their arguments against the annotations."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in cls.__dict__:
            setattr(cls, "__init__", _checked(cls.__dict__["__init__"]))  # noqa: B010 (for mypy)

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Faults that annotations cannot express, found without building the component.

        Args:
            given: The arguments of the config and the defaults of the others, without those that
                do not fit their annotations.

        Yields:
            Pairs of the arguments at fault, and what is wrong with them.
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
    """Refuse argument values that do not fit the annotations of a function.

    Values that no config can write (tensors, modules) are left to the function.

    Raises:
        ArgumentError: At least one value does not fit; the message lists all of them.
    """
    hints = annotations(function)
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return  # The call itself gives Python's own message.
    found = [
        ((argument,), message)
        for argument, value in given.items()
        if argument in hints and is_plain(value)
        for message in [complaint(argument, value, hints[argument])]
        if message is not None
    ]
    if found:
        raise ArgumentError(f"{name}: ", found)


class CheckedSettings:
    """Base of the config's sections: fields are held against their annotations.

    Attributes:
        section: The section's name in configs.
    """

    section: ClassVar[str]

    def __post_init__(self) -> None:
        hints = annotations(type(self).__init__)
        found: list[Conflict] = [
            ((name,), message)
            for name, value in vars(self).items()
            if is_plain(value)
            for message in [complaint(name, value, hints[name])]
            if message is not None
        ]
        # Rules over several fields can only be evaluated if each field is right.
        found = found or list(self.conflicts())
        if found:
            raise ArgumentError(f"{self.section}.", found)

    def conflicts(self) -> Iterator[Conflict]:
        """Fields that do not fit together: their names, and what is wrong."""
        return iter(())


@functools.cache
def annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function with the rules for values."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError:  # Names that only a type checker imports; their arguments are not checked.
        found = getattr(function, "__annotations__", {})
        return {name: hint for name, hint in found.items() if not isinstance(hint, str)}


def parameters(component: type) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name, without self."""
    found = inspect.signature(component).parameters
    # A module without a constructor of its own shows torch's *args, **kwargs, and takes none.
    return {name: p for name, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def describe(component: type) -> str:
    """The constructor as one line, for messages; rules for values are left out.

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
    """Pairs of an argument's name and what is wrong with it.

    Args:
        component: The class to be constructed.
        given: The arguments of the config.
        offered: The arguments that assembly fills in, which a config may not give.
    """
    known = parameters(component)
    hints = annotations(component.__init__)  # type: ignore[misc]
    for name, value in given.items():
        if name not in known:
            yield name, unknown_argument(component, name)
        elif name in offered:
            yield name, f"'{name}' is a size that the assembly fills in; leave it out"
        else:
            message = complaint(name, value, hints.get(name, Any))
            if message is not None:
                yield name, message
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in {*given, *offered}:
            yield name, f"the argument '{name}' is missing. {describe(component)}"


def coerce(component: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments, with lists and integers made what the constructor's annotations take."""
    hints = annotations(component.__init__)  # type: ignore[misc]
    return {name: fit(value, hints.get(name, Any))[0] for name, value in given.items()}


def unknown_argument(component: type, name: str) -> str:
    """The message on an argument that the constructor does not have."""
    hint = closest(name, parameters(component))
    return f"{component.__name__} has no argument '{name}'.{hint} {describe(component)}"
