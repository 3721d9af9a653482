"""Checks and conversions of values against annotations, including all items of lists."""

import math
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union

from beartype.door import is_bearable

PLAIN = (bool, int, float, str, type(None))
LISTS = (list, tuple, Sequence, Collection, Iterable)
MAPPINGS = (dict, Mapping)
MAX_LENGTH = 120  # characters of a value in a message


def fit(value: Any, hint: Any) -> tuple[Any, str | None]:
    """Convert a value to the type of an annotation, and check it.

    If the annotation requires it, a list is converted to a tuple and an integer to a float, because
    users write lists and integers in configs and overrides.

    Args:
        value: Value of an argument.
        hint: Annotation, with the rules of `fsarbench.arguments.value_rules`.

    Returns:
        Converted value and None if it is valid; otherwise the value and a detail for the message,
        which may be empty.

    Example:
        >>> fit([3, 1], tuple[int, int]), fit(1, float | None)
        (((3, 1), None), (1.0, None))
        >>> fit([1, 1, "x"], list[int])[1]
        "item 2 is 'x'"
    """
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _fit_rules(value, *typing.get_args(hint))
    if origin in (Union, types.UnionType):
        return _fit_union(value, typing.get_args(hint))
    if origin is Literal:
        chosen = any(type(c) is type(value) and c == value for c in typing.get_args(hint))
        return value, None if chosen else ""
    if hint in PLAIN or hint is None:
        return _fit_plain(value, hint)
    if origin in LISTS:
        return _fit_list(value, origin, typing.get_args(hint))
    if origin in MAPPINGS:
        return _fit_mapping(value, *typing.get_args(hint))
    return value, None if hint is Any or is_bearable(value, hint) else ""


def _fit_rules(value: Any, hint: Any, *rules: Any) -> tuple[Any, str | None]:
    fitted, detail = fit(value, hint)
    if detail is None and not all(r.holds(fitted) for r in rules if hasattr(r, "holds")):
        return value, ""
    return fitted, detail


def _fit_union(value: Any, hints: Sequence[Any]) -> tuple[Any, str | None]:
    results = [fit(value, hint) for hint in hints]
    fitting = [fitted for fitted, detail in results if detail is None]
    # Members of the union that do not change the type of the value are preferred.
    for fitted in sorted(fitting, key=lambda fitted: type(fitted) is not type(value)):
        return fitted, None
    return value, next((detail for _, detail in results if detail), "")


def _fit_plain(value: Any, hint: Any) -> tuple[Any, str | None]:
    if hint is float and type(value) is int:
        try:
            return float(value), None
        except OverflowError:
            return value, "larger than any float"
    if type(value) is not (type(None) if hint is None else hint):
        return value, ""
    return value, "not finite" if type(value) is float and not math.isfinite(value) else None


def _fit_list(value: Any, origin: Any, hints: Sequence[Any]) -> tuple[Any, str | None]:
    types_ = tuple if origin is tuple else (list if origin is list else (list, tuple))
    if not isinstance(value, types_) and not (origin is tuple and type(value) is list):
        return value, ""
    repeated = origin is not tuple or hints[-1] is Ellipsis
    item_hints = [hints[0]] * len(value) if repeated else list(hints)
    if len(item_hints) != len(value):
        return value, f"{len(value)} items"
    results = [fit(item, hint) for item, hint in zip(value, item_hints, strict=True)]
    faults = [
        f"item {i} is {shown(item)}"
        for i, (item, (_, detail)) in enumerate(zip(value, results, strict=True))
        if detail is not None
    ]
    if faults:
        return value, ", ".join(faults)
    items = (fitted for fitted, _ in results)
    return (list(items) if type(value) is list and origin is not tuple else tuple(items)), None


def _fit_mapping(value: Any, key_hint: Any, item_hint: Any) -> tuple[Any, str | None]:
    if not isinstance(value, dict):
        return value, ""
    results = {key: fit(item, item_hint) for key, item in value.items()}
    faults = [
        f"key {key!r} has {shown(value[key])}"
        for key, (_, detail) in results.items()
        if detail is not None or fit(key, key_hint)[1] is not None
    ]
    if faults:
        return value, ", ".join(faults)
    return {key: fitted for key, (fitted, _) in results.items()}, None


def expected(hint: Any) -> str:
    """Description of an annotation and its rules, for messages.

    Example:
        >>> from fsarbench.arguments.value_rules import PositiveFloat
        >>> expected(PositiveFloat | None), expected(tuple[int, ...])
        ('float above 0 or None', 'list of int')
    """
    origin, hints = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        rules = [rule.words for rule in hints[1:] if hasattr(rule, "words")]
        of_list = typing.get_origin(hints[0]) in LISTS
        return (", " if of_list else " ").join([expected(hints[0]), " and ".join(rules)])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(expected, hints)))
    if origin is Literal:
        return " or ".join(map(repr, hints))
    if origin is tuple and hints[-1] is not Ellipsis:
        return f"list of {len(hints)} ({', '.join(map(expected, hints))})"
    if origin in LISTS:
        return f"list of {expected(hints[0])}"
    if origin in MAPPINGS:
        return "dict"
    return "None" if hint in (None, type(None)) else getattr(hint, "__name__", str(hint))


def complaint(name: str, value: Any, hint: Any) -> str | None:
    """Message about an invalid value of an argument; None if the value is valid.

    Example:
        >>> complaint("lr", "fast", float)
        "lr is 'fast' (str), expected float"
    """
    _, detail = fit(value, hint)
    if detail is None:
        return None
    type_name = (
        "" if value is None or isinstance(value, int | float) else f" ({type(value).__name__})"
    )
    return f"{name} is {shown(value)}{type_name}, expected {expected(hint)}" + (
        f" ({detail})" if detail else ""
    )


def shown(value: Any) -> str:
    """Python representation of a value, shortened for messages."""
    text = repr(value)
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."


def is_plain(value: Any) -> bool:
    """Whether a config can contain a value: numbers, strings, None, and lists and dicts of them."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(item) for key, item in value.items())
    return type(value) in PLAIN
