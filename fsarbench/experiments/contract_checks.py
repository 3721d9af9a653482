"""Holding every component of a model to the contract of its slot, with messages in words."""

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
    """A call of a component's `forward`.

    Attributes:
        key: The component's key in a config.
        slot: Its slot.
        module: The component.
        inputs: What it was given, by the argument names of the slot.
    """

    key: str
    slot: str
    module: nn.Module
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The component and method for messages."""
        return f"{self.key}: {type(self.module).__name__}.forward"


def watched(model: FewShotModel) -> Iterator[tuple[str, str, nn.Module]]:
    """The components of a model, each with its key and slot."""
    yield "backbone", "backbone", model.backbone
    for slot, component in model.components().items():
        branch, _, own = slot.rpartition(".")
        yield f"branches.{slot}" if branch else slot, own, component
    for adapter in getattr(model.backbone, "adapters", ()):
        yield "adapter", "adapter", adapter
    for name, loss in model.losses.items():
        yield f"losses.{name}", "losses", loss


@contextmanager
def held_to_contracts(model: FewShotModel) -> Iterator[None]:
    """Check what the components return, and name the one in which something goes wrong.

    Raises:
        UserError: A component breaks the contract of its slot, or an exception left it.
    """
    running: list[Call] = []
    handles = [h for part in watched(model) for h in _hooks(part, running)]
    try:
        yield
    except Exception as error:
        call = running[-1] if running else None
        message = str(error) if isinstance(error, UserError) and call is None else None
        raise UserError(message or explained(error, call)) from error
    finally:
        for handle in handles:
            handle.remove()


def _hooks(part: tuple[str, str, nn.Module], running: list[Call]) -> Iterator[Any]:
    key, slot, module = part
    names = list(inspect.signature(SLOTS[slot].component.forward).parameters)[1:]

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs = {**dict(zip(names, args, strict=False)), **kwargs}
        running.append(Call(key, slot, module, inputs))

    def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        del module, args, kwargs
        message = broken(running[-1], output)
        if message is not None:
            raise ContractError(message)
        running.pop()

    yield module.register_forward_pre_hook(before, with_kwargs=True)
    yield module.register_forward_hook(after, with_kwargs=True)


class ContractError(Exception):
    """A component breaks the contract of its slot; the message says all of it."""


def explained(error: Exception, call: Call | None) -> str:
    """An exception in words, with the component in which it arose."""
    if isinstance(error, ContractError):
        return str(error)
    if call is None:
        return f"The parts do not fit together: {summary(error)}"
    if isinstance(error, TypeCheckError | AxesError):
        message = _by_contract(call)
        if message is not None:
            return message
    shapes = ", ".join(f"{n} {list(v.shape)}" for n, v in call.inputs.items() if _is_tensor(v))
    given = f" It was given {shapes}." if shapes else ""
    return f"{call.name} fails{place(error, call)}: {summary(error)}{given}"


def summary(error: Exception) -> str:
    """An exception's type and message, without the state that jaxtyping prints after it."""
    if isinstance(error, UserError):
        return str(error)
    text = " ".join(str(error).partition("-----")[0].split())
    return f"{type(error).__name__}: {text}"


def place(error: Exception, call: Call) -> str:
    """The line of the component's own file at which an exception arose."""
    try:
        source = inspect.getsourcefile(type(call.module))
    except TypeError:
        return ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _by_contract(call: Call) -> str | None:
    # The test of annotations ended the call: it is made once more without them, for its result.
    message = misfit(call)
    if message is not None:
        return message
    try:
        return broken(call, inspect.unwrap(type(call.module).forward)(call.module, **call.inputs))
    except Exception:
        return None


def misfit(call: Call) -> str | None:
    """What is wrong with the inputs of a call: the components before it do not fit it."""
    axes = _known(call)
    for name, hint in _hints(call).items():
        if name in call.inputs and name != "return":
            message = mismatch(hint, call.inputs[name], axes)
            if message is not None:
                return f"{call.name} cannot take its argument '{name}': {message}."
    return None


def broken(call: Call, output: Any) -> str | None:
    """What is wrong with the result of a call, by the contract of the slot; None if it is right."""
    axes, hints = _known(call), _hints(call)
    for name, value in call.inputs.items():
        mismatch(hints.get(name), value, axes)  # fills in the sizes
    message = mismatch(hints["return"], output, axes)
    if message is None:
        return None
    return f"{call.name} breaks the contract of the slot '{call.slot}': {message}."


def _hints(call: Call) -> dict[str, Any]:
    hints = typing.get_type_hints(SLOTS[call.slot].component.forward)
    # A component may narrow its inputs, such as a backbone that takes features.
    return {**hints, **getattr(call.module, "input_hints", {})}


def _known(call: Call) -> Sizes:
    """Sizes that a component announces by its attributes."""
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
