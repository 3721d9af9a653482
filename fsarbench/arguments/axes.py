"""Check of tensor axes against jaxtyping annotations, with readable error messages."""

import functools
import inspect
import types
import typing
from collections.abc import Callable
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
    sizes: Sizes = {}
    hints = component.input_hints
    for name, value in (*zip(hints, args, strict=False), *kwargs.items()):
        message = mismatch(hints.get(name), value, sizes)
        if message is not None:
            raise AxesError(f"{type(component).__name__}: argument '{name}': {message}.")


def mismatch(hint: Any, value: Any, axes: Sizes) -> str | None:
    """Error message if a value violates an annotation; else None.

    Args:
        hint: jaxtyping annotation, a tuple or union of such, or a dataclass of tensors.
        value: Tensor, tuple of tensors, dataclass of tensors, or None.
        axes: Known sizes of axes; those of the value are added.
    """
    origin, hints = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else mismatch(hints[0], value, axes)
    if origin is tuple:
        return _tuple_mismatch(hints, value, axes)
    if is_dataclass(hint) and isinstance(value, hint if isinstance(hint, type) else ()):
        fields = typing.get_type_hints(hint)
        messages = (mismatch(fields[name], item, axes) for name, item in vars(value).items())
        return next((message for message in messages if message is not None), None)
    return _tensor_mismatch(hint, value, axes) if hasattr(hint, "dim_str") else None


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
    names = hint.dim_str.split()
    sizes = [axes.get(name.lstrip("#"), name) for name in names]
    problem = _axes_mismatch(names, tuple(value.shape), axes)
    if problem is None:
        return None
    wanted = ", ".join(map(str, sizes))
    return f'expected a tensor "{hint.dim_str}" = [{wanted}], got {list(value.shape)}{problem}'


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
        if name.startswith("#") and size == 1:
            continue
        if axis.isdigit():
            axes.setdefault(axis, int(axis))
        if size != axes.setdefault(axis, size):
            meaning = f" ({MEANINGS[axis]})" if axis in MEANINGS else ""
            return f": axis {axis}{meaning} is {size}, expected {axes[axis]}"
    return None
