"""Whether a value fits an annotation; every item of a list is looked at."""

import math
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union

from beartype.door import is_bearable

PLAIN = (bool, int, float, str, type(None))
LISTS = (list, tuple, Sequence, Collection, Iterable)
MAPPINGS = (dict, Mapping)
LONGEST = 120  # characters of a value that a message repeats


def fit(value: Any, hint: Any) -> tuple[Any, str | None]:
    """A value as an annotation takes it, and what is wrong with it.

    A list becomes a tuple and an integer a float where only those are taken: configs are dumped and
    overridden as text, where lists and whole numbers are what people write.

    Args:
        value: The value.
        hint: The annotation, with the rules of `fsarbench.arguments.value_rules`.

    Returns:
        The value, and None if it fits, else a detail that may be empty.

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
    # A member that takes the value as it is comes before one that changes its type.
    for fitted in sorted(fitting, key=lambda each: type(each) is not type(value)):
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
    taken = tuple if origin is tuple else (list if origin is list else (list, tuple))
    if not isinstance(value, taken) and not (origin is tuple and type(value) is list):
        return value, ""
    repeated = origin is not tuple or hints[-1] is Ellipsis
    wanted = [hints[0]] * len(value) if repeated else list(hints)
    if len(wanted) != len(value):
        return value, f"{len(value)} items"
    results = [fit(item, hint) for item, hint in zip(value, wanted, strict=True)]
    wrong = [
        f"item {i} is {shown(item)}"
        for i, (item, (_, detail)) in enumerate(zip(value, results, strict=True))
        if detail is not None
    ]
    if wrong:
        return value, ", ".join(wrong)
    items = (fitted for fitted, _ in results)
    return (list(items) if type(value) is list and origin is not tuple else tuple(items)), None


def _fit_mapping(value: Any, key_hint: Any, item_hint: Any) -> tuple[Any, str | None]:
    if not isinstance(value, dict):
        return value, ""
    results = {key: fit(item, item_hint) for key, item in value.items()}
    wrong = [
        f"key {key!r} has {shown(value[key])}"
        for key, (_, detail) in results.items()
        if detail is not None or fit(key, key_hint)[1] is not None
    ]
    if wrong:
        return value, ", ".join(wrong)
    return {key: fitted for key, (fitted, _) in results.items()}, None


def expected(hint: Any) -> str:
    """An annotation and its rules in words, for messages.

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
    return "None" if hint in (None, type(None)) else getattr(hint, "__name__", str(hint))


def complaint(name: str, value: Any, hint: Any) -> str | None:
    """What is wrong with the value of an argument; None if it fits.

    Example:
        >>> complaint("lr", "fast", float)
        "lr is 'fast' (str), expected float"
    """
    _, detail = fit(value, hint)
    if detail is None:
        return None
    of_type = (
        "" if value is None or isinstance(value, int | float) else f" ({type(value).__name__})"
    )
    return f"{name} is {shown(value)}{of_type}, expected {expected(hint)}" + (
        f" ({detail})" if detail else ""
    )


def shown(value: Any) -> str:
    """A value as Python writes it, cut to the length of a message."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def is_plain(value: Any) -> bool:
    """Whether a config can write a value: numbers, texts, None, and lists and dicts of those."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(item) for key, item in value.items())
    return type(value) in PLAIN
