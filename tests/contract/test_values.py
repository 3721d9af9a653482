"""Every argument of every component and every field of a section rejects wrong values by name."""

import math
import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any

import pytest

from fsarbench.arguments.signatures import annotations, parameters
from fsarbench.arguments.value_checks import LISTS
from fsarbench.arguments.value_rules import Above, AtLeast, AtMost, Below, Distinct, NotEmpty, Odd
from fsarbench.config.loading import SECTIONS
from fsarbench.config.validation import (
    OFFERED,
    TAKES_SIZES,
    find_faults,
    part_faults,
    section_faults,
)
from fsarbench.errors import UserError
from fsarbench.registry import SLOTS

NO_TYPE_TAKES = [{"a": 1}, b"bytes", 1j]
COMPONENTS = [
    (slot, name)
    for slot, registry in SLOTS.items()
    for name in registry.known()
    if registry.find(name).__module__.startswith("fsarbench.")
]


def members(hint: Any) -> list[Any]:
    """Members of a union, or the annotation itself."""
    args = typing.get_args(hint)
    return list(args) if type(None) in args or typing.get_origin(hint) is typing.Union else [hint]


def breaking(rule: Any) -> list[Any]:
    """Values of the right type that break a rule."""
    if isinstance(rule, Above):
        return [rule.low, rule.low - 1]
    if isinstance(rule, AtLeast):
        return [rule.low - 1]
    if isinstance(rule, Below):
        return [rule.high, rule.high + 1]
    if isinstance(rule, AtMost):
        return [rule.high + 1]
    return [2] if isinstance(rule, Odd) else []


def wrong(hint: Any) -> Iterator[Any]:
    """Values that an annotation must reject."""
    yield from NO_TYPE_TAKES
    kinds = [typing.get_args(m)[0] if is_annotated(m) else m for m in members(hint)]
    if bool not in kinds:
        yield True
    if float in kinds:
        yield from (math.nan, math.inf, -math.inf, 1e400, "0.5", 10**400)
    for member in members(hint):
        for rule in typing.get_args(member)[1:] if is_annotated(member) else ():
            yield from breaking(rule)
            if isinstance(rule, NotEmpty):
                yield from ("", [])
            if isinstance(rule, Distinct):
                yield ["q", "q"]
        base = typing.get_args(member)[0] if is_annotated(member) else member
        if typing.get_origin(base) in LISTS:
            items = [1, 1, 1, object()] if len(typing.get_args(base)) < 3 else [3, 3, object()]
            yield items


def is_annotated(hint: Any) -> bool:
    return typing.get_origin(hint) is Annotated


def arguments(component: type, sizes: bool) -> dict[str, Any]:
    """Annotations of the arguments that a config may give."""
    hints = annotations(component.__init__)  # type: ignore[misc]
    return {n: hints[n] for n in parameters(component) if not (sizes and n in OFFERED)}


@pytest.mark.parametrize(("slot", "name"), COMPONENTS)
def test_a_component_rejects_wrong_values_by_name(slot: str, name: str) -> None:
    component = SLOTS[slot].find(name)
    takes = arguments(component, slot in TAKES_SIZES)
    for argument, hint in takes.items():
        for value in wrong(hint):
            faults = list(part_faults(slot, slot, {"type": name, argument: value}))
            assert f"{slot}.{argument}" in [fault.key for fault in faults], (argument, value)
            message = next(f.message for f in faults if f.key == f"{slot}.{argument}")
            assert message.startswith(f"{argument} is "), message
            assert "expected" in message
    everything = {argument: {"a": 1} for argument in takes}
    keys = [fault.key for fault in part_faults(slot, slot, {"type": name, **everything})]
    assert sorted(keys) == sorted(f"{slot}.{argument}" for argument in takes)


@pytest.mark.parametrize(("slot", "name"), COMPONENTS)
def test_a_constructor_rejects_what_the_check_rejects(slot: str, name: str) -> None:
    component = SLOTS[slot].find(name)
    takes = arguments(component, sizes=slot in TAKES_SIZES)
    needed = {
        n: "name" if n in ("model", "root", "name") else 8
        for n, p in parameters(component).items()
        if p.default is p.empty
    }
    for argument, hint in takes.items():
        for value in wrong(hint):
            if isinstance(value, bytes | complex) or (
                isinstance(value, list) and any(type(item) is object for item in value)
            ):
                continue  # no config can write these; they are left to Python
            with pytest.raises(UserError, match=f"{name}: .*{argument} is "):
                component(**{**needed, argument: value})


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_rejects_wrong_values_by_name(name: str) -> None:
    takes = arguments(SECTIONS[name], sizes=False)
    for field, hint in takes.items():
        for value in wrong(hint):
            faults = list(section_faults(name, {field: value}))
            assert [fault.key for fault in faults] == [f"{name}.{field}"], (field, value)
            if not isinstance(value, bytes | complex | list):
                with pytest.raises(UserError, match=rf"{name}\.{field} is "):
                    construct(SECTIONS[name], field, value)
    keys = [fault.key for fault in section_faults(name, dict.fromkeys(takes, 1j))]
    assert keys == [f"{name}.{field}" for field in takes]


def construct(section: type, field: str, value: Any) -> None:
    """End of a section's constructor; the tests' type checker would raise its own error before."""
    settings: Any = object.__new__(section)
    for other in fields(section):
        object.__setattr__(settings, other.name, other.default)
    object.__setattr__(settings, field, value)
    settings.__post_init__()


@pytest.mark.parametrize("value", [-1, 1.0, True, "1", None, 2**63])
def test_a_seed_is_checked(value: Any) -> None:
    assert "seed" in [fault.key for fault in find_faults({"seed": value})]
    assert "seeds" in [fault.key for fault in find_faults({"seeds": [0, 1, value]})]


@pytest.mark.parametrize(("slot", "name"), [*COMPONENTS, *(("", name) for name in SECTIONS)])
def test_every_integer_has_a_rule(slot: str, name: str) -> None:
    """Arguments that are counts reject negative numbers."""
    component = SLOTS[slot].find(name) if slot else SECTIONS[name]
    for argument, hint in arguments(component, slot in TAKES_SIZES).items():
        assert int not in members(hint), f"{name}.{argument}: say which integers, as PositiveInt"
