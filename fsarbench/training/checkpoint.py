"""Checkpoints: the trainable parameters of a model, as safetensors with metadata."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.runtime.atomic_files import atomic_path, write_errors
from fsarbench.runtime.finite_checks import require_finite_weights
from fsarbench.training.history import Training, training_of

BEST = "best.safetensors"
# The one entry of the file's metadata; it holds all of ours as JSON.
FACTS = "facts"
# Prefix of the names of parameters that only training needs.
LOSSES = "losses."


@dataclass(frozen=True)
class Checkpoint:
    """Path and SHA-256 of a checkpoint.

    Attributes:
        file: The file, as it was named.
        sha256: The hash of its bytes.
    """

    file: str
    sha256: str


def checkpoint_of(path: Path, name: str = "") -> Checkpoint | None:
    """Path and SHA-256 of a checkpoint file; None where there is no file.

    Args:
        path: The file.
        name: How to name it; empty for its path.
    """
    if not path.is_file():
        return None
    return Checkpoint(name or str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def load_checkpoint(model: FewShotModel, path: Path) -> tuple[Training, Checkpoint | None]:
    """Load a checkpoint into a model; returns the training that its metadata describes.

    Args:
        model: Built like the model that was trained.
        path: The file, or the folder of its run.

    Raises:
        UserError: The file is missing or damaged, or names or shapes are not those of the model.
    """
    file = checkpoint_file(path)
    return training_of(load_weights(model, file, testing=True)), checkpoint_of(file)


def checkpoint_file(path: Path) -> Path:
    """The checkpoint file at a path, which may also be the folder of its run."""
    return path / BEST if path.is_dir() else path


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """What training changes: trainable parameters, and the buffers (running means) beside them."""
    state = model.state_dict(keep_vars=True)
    wanted: set[str] = set()
    for prefix, module in model.named_modules():
        parameters = dict(module.named_parameters(recurse=False))
        trainable = [name for name, parameter in parameters.items() if parameter.requires_grad]
        if trainable:
            names = trainable + [name for name, _ in module.named_buffers(recurse=False)]
            wanted.update(f"{prefix}.{name}" if prefix else name for name in names)
    return {name: value.detach() for name, value in state.items() if name in wanted}


def restore(
    model: nn.Module, state: Mapping[str, Tensor], source: str, testing: bool = False
) -> None:
    """Load the trainable state into a model.

    Args:
        model: Built like the model that was saved.
        state: As `trainable_state` returned it.
        source: Where it comes from, for messages.
        testing: Leave out the losses, which only training needs: their classifiers have the size
            of the training classes, which may be those of another data set.

    Raises:
        UserError: Names or shapes are not those of the model, or values are not finite.
    """
    expected = trainable_state(model)
    if testing:
        expected, state = _without_losses(expected), _without_losses(state)
    faults = [f"{name} is missing" for name in expected if name not in state]
    faults += [f"{name} is not part of the model" for name in state if name not in expected]
    faults += [
        f"{name} is {list(state[name].shape)}, the model has {list(value.shape)}"
        for name, value in expected.items()
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


def save_weights(model: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the trainable state with metadata, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Tied parameters share memory, which the format refuses.
    state = {name: value.cpu().clone() for name, value in trainable_state(model).items()}
    with write_errors(path), atomic_path(path) as aside:
        # In one entry, since the format writes several in an order that changes from run to run.
        save_file(state, aside, metadata={FACTS: json.dumps(dict(metadata), sort_keys=True)})


def metadata_of(entries: Mapping[str, str]) -> dict[str, str]:
    """Our metadata among a file's entries; those of foreign files are returned as they are.

    Example:
        >>> metadata_of({"facts": '{"episode": "40"}'}), metadata_of({"format": "pt"})
        ({'episode': '40'}, {'format': 'pt'})
    """
    found: dict[str, str] = json.loads(entries[FACTS]) if FACTS in entries else dict(entries)
    return found


def load_weights(model: nn.Module, path: Path, testing: bool = False) -> dict[str, str]:
    """Load a checkpoint file into a model; returns its metadata.

    Args:
        model: Built like the model that was saved.
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
            metadata = metadata_of(file.metadata() or {})
    except SafetensorError as error:
        raise UserError(f"{path} is no readable safetensors file ({error}).") from None
    restore(model, state, str(path), testing)
    return metadata
