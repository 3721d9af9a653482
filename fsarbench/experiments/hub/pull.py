"""Models from the hub: download, checks, and building of the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download

from fsarbench import __version__
from fsarbench.config.build import USUAL_CLASSES, build_model
from fsarbench.config.loading import LoadedConfig, apply_override, sets_type
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.experiments.hub.address import (
    LIBRARY,
    HubAddress,
    client,
    endpoint,
    hub_errors,
    is_unreachable,
    parse_address,
)
from fsarbench.experiments.hub.files import (
    CONFIG,
    LIMITS,
    read_object,
    refuse_code,
    require_size,
    without_local_keys,
)
from fsarbench.model import FewShotModel
from fsarbench.results.finished_runs import require_keys
from fsarbench.results.run_result import RESULT, read_result
from fsarbench.training.checkpoint import BEST, checkpoint_of, load_weights

# Slots with base weights.
PRETRAINED_SLOTS = ("backbone", "text_encoder")
# Keys of the result that are read here.
REQUIRED = {
    "name": str,
    "training.skipped": str,
    "conditions.splits.train.classes": int,
}


@dataclass(frozen=True)
class PulledModel:
    """Model in the local cache of the hub.

    Attributes:
        address: Repository with the commit that was loaded.
        loaded: Config of the model.
        result: Result of its run.
        checkpoint: File of the trainable parameters; None if nothing was trained.
    """

    address: HubAddress
    loaded: LoadedConfig
    result: dict[str, Any]
    checkpoint: Path | None


def pull(name: str, overrides: Sequence[str] = ()) -> PulledModel:
    """Download a model, or find it in the cache if the hub cannot be reached.

    Args:
        name: `hub:OWNER/NAME`, or with `@REVISION`.
        overrides: Overrides `key=value` of its config.

    Raises:
        UserError: The repository is missing or private, is no model of fsarbench, or is damaged.
    """
    wanted = parse_address(name)
    with hub_errors(wanted):
        _require_model(wanted)
        # By its branch, so that the cache knows the commit when the hub cannot be reached.
        folder = _download(wanted, RESULT).parent
        address = HubAddress(wanted.repo, folder.name)
        _download(address, CONFIG)
        result = read_result(folder / RESULT)
        require_keys(result, REQUIRED, folder / RESULT)
        checkpoint = None if result.get("checkpoint") is None else _download(address, BEST)
    if checkpoint is not None:
        _require_hash(checkpoint, result, address)
    loaded = _config(folder / CONFIG, result, address)
    try:
        for override in sorted(overrides, key=sets_type, reverse=True):
            apply_override(loaded, override)
        check_config(loaded)
    except UserError as error:
        raise UserError(f"{address}: {error}") from None
    return PulledModel(address, loaded, result, checkpoint)


def hub_model(
    name: str, overrides: Sequence[str], device: torch.device, pretrained: bool = True
) -> FewShotModel:
    """Trained model of a repository.

    Args:
        name: `hub:OWNER/NAME`, or with `@REVISION`.
        overrides: Overrides `key=value` of its config; they cannot change trained parameters.
        device: Device of the model.
        pretrained: Load the trained and the base weights; False draws random ones.

    Raises:
        UserError: As `pull`; or the weights do not fit the config.
    """
    pulled = pull(name, overrides)
    if not pretrained:
        leave_out_pretrained(pulled.loaded)
    torch.manual_seed(pulled.loaded.values.get("seed", 0))
    classes = pulled.result["conditions"]["splits"]["train"]["classes"] or USUAL_CLASSES
    model = build_model(pulled.loaded.values, classes).to(device)
    if pretrained and pulled.checkpoint is not None:
        load_weights(model, pulled.checkpoint, testing=True)
    return model.eval()


def leave_out_pretrained(config: LoadedConfig) -> None:
    """Let a config draw random weights in place of the pretrained ones."""
    for slot in PRETRAINED_SLOTS:
        if config.values.get(slot):
            config.values[slot]["pretrained"] = None


def _require_model(wanted: HubAddress) -> None:
    """Check names and sizes of the files before any is downloaded, if the hub can be reached."""
    try:
        info = client().model_info(wanted.repo, revision=wanted.revision, files_metadata=True)
    except Exception as error:
        if is_unreachable(error):
            return
        raise
    sizes = {file.rfilename: file.size for file in info.siblings or ()}
    for name in (RESULT, CONFIG):
        if name not in sizes:
            raise UserError(
                f"{wanted} is no model of fsarbench: it has no {name}. Only repositories that "
                "`fsarbench push` wrote can be loaded."
            )
    for name in LIMITS:
        require_size(name, sizes.get(name), str(wanted))


def _download(address: HubAddress, name: str) -> Path:
    path = Path(
        hf_hub_download(
            address.repo,
            name,
            revision=address.revision,
            endpoint=endpoint(),
            library_name=LIBRARY,
            library_version=__version__,
        )
    )
    require_size(name, path.stat().st_size, str(address))
    return path


def _require_hash(checkpoint: Path, result: dict[str, Any], address: HubAddress) -> None:
    require_keys(result, {"checkpoint.sha256": str}, checkpoint.parent / RESULT)
    found = checkpoint_of(checkpoint)
    if found is None or found.sha256 != result["checkpoint"]["sha256"]:
        raise UserError(
            f"{address}: {BEST} is not the checkpoint that {RESULT} states (SHA-256 differs)."
        )


def _config(file: Path, result: dict[str, Any], address: HubAddress) -> LoadedConfig:
    values = read_object(file.read_bytes(), f"{address}/{CONFIG}")
    refuse_code(values, str(address))
    # The name of the run names tables and folders.
    name = "".join(
        letter if letter.isalnum() or letter in "-_." else "_" for letter in result["name"]
    )
    return LoadedConfig(Path(f"{name.lstrip('.') or 'model'}.json"), without_local_keys(values))
