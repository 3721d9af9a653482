"""Check of tensor axes against jaxtyping annotations, with readable error messages."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from fsarbench.errors import UserError

MEANINGS = {
    "N": "classes of the episode",
    "K": "support videos per class",
    "Q": "queries",
    "V": "videos",
    "T": "frames of a clip",
    "S": "steps: features of a video",
    "L": "tokens of a frame",
    "C": "token width",
    "D": "feature width of the backbone",
    "F": "feature width",
    "E": "text width",
    "M": "sentences per class",
    "P": "prototypes per class",
    "H": "rows of pixels",
    "W": "columns of pixels",
}
Sizes = dict[str, int]
# Inputs that agreed with the contract. A short matcher repeated on the same shapes would otherwise
# spend a quarter of its time on the check.
_ACCEPTED: set[tuple[Any, ...]] = set()
MOST_ACCEPTED = 10_000


class AxesError(UserError):
    """Input whose axes or type violate the contract of a slot."""


class ChecksInputs:
    """Base class of slots that check the axes of their components' inputs.

    The annotations of the slot's abstract `forward` are the contract of all its components. Only
    ranks, sizes and types are compared, never values, so the check also works on the meta device
    and under `torch.vmap`. Under `torch.compile` it is left out.

    Attributes:
        input_hints: Annotations of the inputs of `forward`, in order.
    """

    input_hints: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        forward = cls.__dict__.get("forward")
        if ChecksInputs in cls.__bases__:
            hints = typing.get_type_hints(forward)
            names = list(inspect.signature(cls.__dict__["forward"]).parameters)[1:]
            cls.input_hints = {name: hints[name] for name in names}
        elif forward is not None:
            setattr(cls, "forward", _checked(forward))  # noqa: B010 (for mypy)


def _checked(forward: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(forward)
    def wrapper(self: ChecksInputs, *args: Any, **kwargs: Any) -> Any:
        if not torch.compiler.is_compiling():
            require_axes(self, *args, **kwargs)
        return forward(self, *args, **kwargs)

    return wrapper


def require_axes(component: ChecksInputs, /, *args: Any, **kwargs: Any) -> None:
    """Check inputs against the contract of a component's slot.

    Raises:
        AxesError: An input is not a tensor, or its axes or type differ from the contract or from an
            earlier input.
    """
    shapes = _shapes(component, (*args, *kwargs.items()))
    if shapes in _ACCEPTED:
        return
    sizes: Sizes = {}
    hints = component.input_hints
    for name, value in (*zip(hints, args, strict=False), *kwargs.items()):
        message = mismatch(hints.get(name), value, sizes)
        if message is not None:
            raise AxesError(f"{type(component).__name__}: argument '{name}': {message}.")
    if shapes is not None and len(_ACCEPTED) < MOST_ACCEPTED:
        _ACCEPTED.add(shapes)


def _shapes(component: ChecksInputs, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Everything that the check depends on, if all inputs are tensors or None; else None."""
    if not all(value is None or isinstance(value, Tensor) for value in values):
        return None
    of_each = (None if value is None else (value.dtype, value.shape) for value in values)
    return (type(component), *of_each)


def mismatch(hint: Any, value: Any, axes: Sizes) -> str | None:
    """Error message if a value violates an annotation; else None.

    Args:
        hint: jaxtyping annotation, a tuple or union of such, or a dataclass of tensors.
        value: Tensor, tuple of tensors, dataclass of tensors, or None.
        axes: Known sizes of axes; those of the value are added.
    """
    origin, hints = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _union_mismatch(hints, value, axes)
    if origin is tuple:
        return _tuple_mismatch(hints, value, axes)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_mismatch(hints[1], value, axes)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, hint):
            return f"expected {hint.__name__}, got {type(value).__name__}"
        fields = typing.get_type_hints(hint)
        messages = (
            (name, mismatch(fields[name], item, axes)) for name, item in vars(value).items()
        )
        return next((f"{name}: {text}" for name, text in messages if text is not None), None)
    return _tensor_mismatch(hint, value, axes) if hasattr(hint, "dim_str") else None


def _union_mismatch(hints: tuple[Any, ...], value: Any, axes: Sizes) -> str | None:
    """None if the value fits one of the hints; else the message for the hint of its own type."""
    messages = []
    for hint in hints:
        if hint is type(None):
            continue
        sizes = dict(axes)
        message = mismatch(hint, value, sizes)
        if message is None:
            axes |= sizes
            return None
        messages.append((not _same_type(hint, value), message))
    return min(messages, key=lambda pair: pair[0])[1]


def _same_type(hint: Any, value: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(typing.get_args(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        return isinstance(value, hint)
    return hasattr(hint, "dim_str") and isinstance(value, Tensor)


def _mapping_mismatch(hint: Any, value: Any, axes: Sizes) -> str | None:
    if not isinstance(value, Mapping):
        return f"expected a dict of tensors by name, got {type(value).__name__}"
    for key, item in value.items():
        if hint is Tensor and not isinstance(item, Tensor):
            return f"{key!r}: expected a tensor, got {type(item).__name__}"
        # Each branch of a model has features of its own sizes.
        message = mismatch(hint, item, {} if is_dataclass(hint) else axes)
        if message is not None:
            return f"{key!r}: {message}"
    return None


def _tuple_mismatch(hints: tuple[Any, ...], value: Any, axes: Sizes) -> str | None:
    if not isinstance(value, tuple) or len(value) != len(hints):
        got = f"{len(value)} values" if isinstance(value, tuple) else type(value).__name__
        return f"expected a tuple of {len(hints)} tensors, got {got}"
    for number, (hint, item) in enumerate(zip(hints, value, strict=True), start=1):
        message = mismatch(hint, item, axes)
        if message is not None:
            return f"value {number} of {len(hints)}: {message}"
    return None


def _tensor_mismatch(hint: Any, value: Any, axes: Sizes) -> str | None:
    if not isinstance(value, Tensor):
        return f'expected a tensor "{hint.dim_str}", got {type(value).__name__}'
    if not isinstance(value, _any_axes(hint.dtype)):
        return f"expected a tensor of type {hint.dtype.__name__.lower()}, got {value.dtype}"
    names = _without_free_axes(hint.dim_str.split(), value.ndim)
    sizes = [axes.get(name.lstrip("#"), name) for name in names]
    problem = _axes_mismatch(names, tuple(value.shape), axes)
    if problem is None:
        return None
    wanted = ", ".join(map(str, sizes))
    return f'expected a tensor "{hint.dim_str}" = [{wanted}], got {list(value.shape)}{problem}'


def _without_free_axes(names: list[str], axes: int) -> list[str]:
    """Names of exactly `axes` axes: `...` and `*name` stand for any number of unchecked axes."""
    for index, name in enumerate(names):
        if name == "..." or name.startswith("*"):
            free = ["_"] * max(axes - len(names) + 1, 0)
            return [*names[:index], *free, *names[index + 1 :]]
    return names


@functools.cache
def _any_axes(dtype: Any) -> Any:
    return dtype[Tensor, "..."]


def _axes_mismatch(names: list[str], shape: tuple[int, ...], axes: Sizes) -> str | None:
    if len(names) != len(shape):
        legend = (
            f"{name} = {MEANINGS[name.lstrip('#')]}{', or 1' if name.startswith('#') else ''}"
            for name in names
            if name.lstrip("#") in MEANINGS
        )
        return f" ({len(shape)} axes, expected {len(names)}: {'; '.join(legend)})"
    for name, size in zip(names, shape, strict=True):
        axis = name.lstrip("#")
        if name == "_" or (name.startswith("#") and size == 1):
            continue
        if axis.isdigit():
            axes.setdefault(axis, int(axis))
        if size != axes.setdefault(axis, size):
            meaning = f" ({MEANINGS[axis]})" if axis in MEANINGS else ""
            return f": axis {axis}{meaning} is {size}, expected {axes[axis]}"
    return None
