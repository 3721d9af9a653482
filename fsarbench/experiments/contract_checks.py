"""Checks that every component of a model keeps the interface of its slot."""

import inspect
import traceback
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import TypeCheckError
from torch import Tensor, nn

from fsarbench.arguments.axes import AxesError, Sizes, mismatch
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.registry import SLOTS


@dataclass(frozen=True)
class Call:
    """Call of the `forward` of a component.

    Attributes:
        key: Key of the component in a config.
        slot: Slot of the component.
        module: Component.
        inputs: Arguments by the parameter names of the slot.
    """

    key: str
    slot: str
    module: nn.Module
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the component and method for messages."""
        return f"{self.key}: {type(self.module).__name__}.forward"


def keyed_components(model: FewShotModel) -> Iterator[tuple[str, str, nn.Module]]:
    """Yield config key, slot and module of every component of a model."""
    yield "backbone", "backbone", model.backbone
    for path, component in model.components().items():
        branch, _, slot = path.rpartition(".")
        yield f"branches.{path}" if branch else path, slot, component
    for adapter in getattr(model.backbone, "adapters", ()):
        yield "adapter", "adapter", adapter
    for name, loss in model.losses.items():
        yield f"losses.{name}", "losses", loss


@contextmanager
def checked_components(model: FewShotModel) -> Iterator[None]:
    """Check the outputs of all components in a `with` block; errors name the component.

    Raises:
        UserError: A component violates the interface of its slot or raises an exception.
    """
    running: list[Call] = []
    handles = [h for component in keyed_components(model) for h in _hooks(component, running)]
    try:
        yield
    except Exception as error:
        call = running[-1] if running else None
        message = str(error) if isinstance(error, UserError) and call is None else None
        raise UserError(message or error_message(error, call)) from error
    finally:
        for handle in handles:
            handle.remove()


def _hooks(component: tuple[str, str, nn.Module], running: list[Call]) -> Iterator[Any]:
    key, slot, module = component
    names = list(inspect.signature(SLOTS[slot].component.forward).parameters)[1:]

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs = {**dict(zip(names, args, strict=False)), **kwargs}
        running.append(Call(key, slot, module, inputs))

    def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        del module, args, kwargs
        message = output_fault(running[-1], output)
        if message is not None:
            raise InterfaceError(message)
        running.pop()

    yield module.register_forward_pre_hook(before, with_kwargs=True)
    yield module.register_forward_hook(after, with_kwargs=True)


class InterfaceError(Exception):
    """A component violates the interface of its slot; the message is complete."""


def error_message(error: Exception, call: Call | None) -> str:
    """Message for an exception, with the component that raised it."""
    if isinstance(error, InterfaceError):
        return str(error)
    if call is None:
        return f"The components do not fit together: {summary(error)}"
    if isinstance(error, TypeCheckError | AxesError):
        message = _interface_fault(call)
        if message is not None:
            return message
    shapes = ", ".join(f"{n} {list(v.shape)}" for n, v in call.inputs.items() if _is_tensor(v))
    inputs = f" Inputs: {shapes}." if shapes else ""
    return f"{call.name} fails{source_line(error, call)}: {summary(error)}{inputs}"


def summary(error: Exception) -> str:
    """Type and message of an exception, without the shapes that jaxtyping appends."""
    if isinstance(error, UserError):
        return str(error)
    text = " ".join(str(error).partition("-----")[0].split())
    return f"{type(error).__name__}: {text}"


def source_line(error: Exception, call: Call) -> str:
    """Line in the source file of the component at which an exception was raised."""
    try:
        source = inspect.getsourcefile(type(call.module))
    except TypeError:
        return ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _interface_fault(call: Call) -> str | None:
    # The check of the annotations stopped the call, so it is repeated without the check.
    message = input_fault(call)
    if message is not None:
        return message
    forward = inspect.unwrap(type(call.module).forward)
    try:
        return output_fault(call, forward(call.module, **call.inputs))
    except Exception:
        return None


def input_fault(call: Call) -> str | None:
    """Message for inputs that do not fit the component; None if they do."""
    axes = _known_sizes(call)
    for name, hint in _hints(call).items():
        if name in call.inputs and name != "return":
            message = mismatch(hint, call.inputs[name], axes)
            if message is not None:
                return f"{call.name} does not accept its argument '{name}': {message}."
    return None


def output_fault(call: Call, output: Any) -> str | None:
    """Message for an output that violates the interface of the slot; None for a valid output."""
    axes, hints = _known_sizes(call), _hints(call)
    for name, value in call.inputs.items():
        mismatch(hints.get(name), value, axes)  # adds the sizes of the input to `axes`
    message = mismatch(hints["return"], output, axes)
    if message is None:
        return None
    return f"{call.name} violates the interface of the slot '{call.slot}': {message}."


def _hints(call: Call) -> dict[str, Any]:
    hints = typing.get_type_hints(SLOTS[call.slot].component.forward)
    # A component may restrict its inputs, such as a backbone for given features.
    return {**hints, **getattr(call.module, "input_hints", {})}


def _known_sizes(call: Call) -> Sizes:
    """Sizes of axes from the attributes of a component."""
    module: Any = call.module
    if call.slot == "backbone":
        return {"D": module.dim, "S": module.output_frames(call.inputs["frames"].shape[1])}
    if call.slot == "neck":
        steps = call.inputs["features"].frames.shape[1]
        return {"F": module.dim, "S2": module.output_frames(steps)}
    if call.slot == "prototypes" and _is_tensor(call.inputs["query"]):
        steps, width = call.inputs["query"].shape[-2:]
        return {"S2": module.output_frames(steps), "F2": module.output_dim(width)}
    if call.slot == "text_encoder":
        return {"N": len(call.inputs["names"]), "E": module.dim, "M": module.sentences}
    return {}


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)
