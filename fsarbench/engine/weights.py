"""The tuned parts of a model on disk, as safetensors."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fsarbench.engine.finite import require_finite_weights
from fsarbench.errors import UserError
from fsarbench.files import whole

BEST = "best.safetensors"
# The fact of a checkpoint that names the classes it was chosen on.
SELECTION = "selection"
# The one entry of the metadata, which holds all facts.
FACTS = "facts"
# How the names of parameters begin that only training needs.
LOSSES = "losses."


def tuned_state(model: nn.Module) -> dict[str, Tensor]:
    """What training changes: tuned parameters, and the buffers (running means) beside them."""
    kept = model.state_dict(keep_vars=True)
    wanted: set[str] = set()
    for place, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        tuned = [name for name, parameter in own.items() if parameter.requires_grad]
        if tuned:
            names = tuned + [name for name, _ in module.named_buffers(recurse=False)]
            wanted.update(f"{place}.{name}" if place else name for name in names)
    return {name: value.detach() for name, value in kept.items() if name in wanted}


def restore(
    model: nn.Module, state: Mapping[str, Tensor], source: str, testing: bool = False
) -> None:
    """Puts tuned parts back.

    Args:
        model: Built as the model that was saved.
        state: The tuned parts.
        source: Where they come from, for the message.
        testing: Leave out what only training needs, the losses: their heads have the size of the
            training classes, which may be those of another data set.

    Raises:
        UserError: Names or shapes are not those of the model, or values are not finite.
    """
    own = tuned_state(model)
    if testing:
        own, state = _without_losses(own), _without_losses(state)
    faults = [f"{name} is missing" for name in own if name not in state]
    faults += [f"{name} is not part of the model" for name in state if name not in own]
    faults += [
        f"{name} is {list(state[name].shape)}, the model has {list(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    if faults:
        more = f", and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise UserError(
            f"{source} does not fit the model: {'; '.join(faults[:5])}{more}. "
            "Use the config that it was trained with."
        )
    model.load_state_dict(dict(state), strict=False)
    require_finite_weights(model, source)


def _without_losses(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.startswith(LOSSES)}


def save_weights(model: nn.Module, path: Path, facts: Mapping[str, str]) -> None:
    """Writes the tuned parts with some facts; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Tied parameters share memory, which the format refuses.
    state = {name: value.cpu().clone() for name, value in tuned_state(model).items()}
    with whole(path) as aside:
        # In one entry, since the format writes several in an order that changes from run to run.
        save_file(state, aside, metadata={FACTS: json.dumps(dict(facts), sort_keys=True)})


def facts_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """The facts among the metadata of a file; those of other makers are taken as they are.

    Example:
        >>> facts_of({"facts": '{"episode": "40"}'}), facts_of({"format": "pt"})
        ({'episode': '40'}, {'format': 'pt'})
    """
    found: dict[str, str] = json.loads(metadata[FACTS]) if FACTS in metadata else dict(metadata)
    return found


def load_weights(model: nn.Module, path: Path, testing: bool = False) -> dict[str, str]:
    """Reads tuned parts back into a model, and returns the facts that came with them.

    Args:
        model: Built as the model that was saved.
        path: The file.
        testing: As for `restore`.

    Raises:
        UserError: The file is missing, no safetensors file, or belongs to another model.
    """
    if not path.is_file():
        raise UserError(f"There is no checkpoint at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts = facts_of(file.metadata() or {})
    except SafetensorError as error:
        raise UserError(f"{path} is no readable safetensors file ({error}).") from None
    restore(model, state, str(path), testing)
    return facts
