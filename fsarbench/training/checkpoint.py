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
# Key of the only metadata entry of the file; its value is all metadata as JSON.
FACTS = "facts"
# Prefix of the names of parameters that are needed in training only.
LOSSES = "losses."


@dataclass(frozen=True)
class Checkpoint:
    """Path and SHA-256 of a checkpoint.

    Attributes:
        file: Path or name of the file.
        sha256: SHA-256 of the file.
    """

    file: str
    sha256: str


def checkpoint_of(path: Path, name: str = "") -> Checkpoint | None:
    """Path and SHA-256 of a checkpoint file; None if the file does not exist.

    Args:
        path: Checkpoint file.
        name: Name to store instead of the path; may be empty.
    """
    if not path.is_file():
        return None
    return Checkpoint(name or str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def load_checkpoint(model: FewShotModel, path: Path) -> tuple[Training, Checkpoint | None]:
    """Load a checkpoint into a model, and return the training that its metadata describes.

    Args:
        model: Model built from the same config as the trained model.
        path: Checkpoint file, or folder of the run.

    Raises:
        UserError: The file is missing or damaged, or the parameters do not fit the model.
    """
    file = checkpoint_file(path)
    return training_of(load_weights(model, file, testing=True)), checkpoint_of(file)


def checkpoint_file(path: Path) -> Path:
    """Checkpoint file of a path, which may be the folder of a run."""
    return path / BEST if path.is_dir() else path


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers that training changes.

    Buffers, such as running means, are included for modules with trainable parameters.
    """
    state = model.state_dict(keep_vars=True)
    selected: set[str] = set()
    for prefix, module in model.named_modules():
        parameters = dict(module.named_parameters(recurse=False))
        trainable = [name for name, parameter in parameters.items() if parameter.requires_grad]
        if trainable:
            names = trainable + [name for name, _ in module.named_buffers(recurse=False)]
            selected.update(f"{prefix}.{name}" if prefix else name for name in names)
    return {name: value.detach() for name, value in state.items() if name in selected}


def restore(
    model: nn.Module, state: Mapping[str, Tensor], source: str, testing: bool = False
) -> None:
    """Load the trainable state into a model.

    Args:
        model: Model built from the same config as the saved model.
        state: Parameters and buffers from `trainable_state`.
        source: Origin of the state, for messages.
        testing: Leave out the losses. They are needed in training only, and the size of their
            classifiers depends on the training classes, which may be of another data set.

    Raises:
        UserError: Names or shapes do not fit the model, or values are not finite.
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
            "Use the config of its training."
        )
    model.load_state_dict(dict(state), strict=False)
    require_finite_weights(model, source)


def _without_losses(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.startswith(LOSSES)}


def save_weights(model: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the trainable state with metadata, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Tied parameters share memory, which the file format does not support.
    state = {name: value.cpu().clone() for name, value in trainable_state(model).items()}
    with write_errors(path), atomic_path(path) as temporary:
        # The format writes several entries in random order, so all metadata are in one entry.
        save_file(state, temporary, metadata={FACTS: json.dumps(dict(metadata), sort_keys=True)})


def metadata_of(entries: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a checkpoint from the entries of its file; other files have their own entries.

    Example:
        >>> metadata_of({"facts": '{"episode": "40"}'}), metadata_of({"format": "pt"})
        ({'episode': '40'}, {'format': 'pt'})
    """
    metadata: dict[str, str] = json.loads(entries[FACTS]) if FACTS in entries else dict(entries)
    return metadata


def load_weights(model: nn.Module, path: Path, testing: bool = False) -> dict[str, str]:
    """Load a checkpoint file into a model, and return its metadata.

    Args:
        model: Model built from the same config as the saved model.
        path: Checkpoint file.
        testing: Leave out the losses, as in `restore`.

    Raises:
        UserError: The file is missing or damaged, or the parameters do not fit the model.
    """
    if not path.is_file():
        raise UserError(f"Checkpoint {path} does not exist.")
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = metadata_of(file.metadata() or {})
    except SafetensorError as error:
        raise UserError(f"{path} is not a valid safetensors file ({error}).") from None
    restore(model, state, str(path), testing)
    return metadata
