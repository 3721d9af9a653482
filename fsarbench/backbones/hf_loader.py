"""Loading of video models of Hugging Face transformers by name, from safetensors files only.

transformers is an optional dependency, imported when a model of it is checked or built.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import hf_hub_download, snapshot_download
from torch import nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_checks import shown
from fsarbench.backbones.hub import (
    SAFETENSORS,
    cached_file,
    fetch,
    first_line,
    quiet,
    weights_file,
)
from fsarbench.errors import UserError, nearest

Architecture = Literal["videomae", "vjepa2", "timesformer", "vivit", "xclip"]
CONFIG = "config.json"
# The first of these files that a folder has says how frames are normalised.
PREPROCESSORS = ("video_preprocessor_config.json", "preprocessor_config.json")
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5,) * 3, (0.5,) * 3


@dataclass(frozen=True, kw_only=True)
class Source:
    """Names that transformers uses for an architecture.

    Attributes:
        settings: Class of its settings (transformers calls them config).
        model: Class of the model.
        types: Values of `model_type` in its `config.json`, the first for the settings class.
        options: Further arguments of the model class.
        renames: Patterns of weight names of older files, and their replacements.
        frames: Setting that holds the number of frames.
        size: Setting that holds the side length of the images in pixels.
        normalisation: Mean and standard deviation of the channels in the authors' code, used for
            weights that come without a preprocessor file.
    """

    settings: str
    model: str
    types: tuple[str, ...]
    options: Mapping[str, Any]
    renames: Mapping[str, str]
    frames: str = "num_frames"
    size: str = "image_size"
    normalisation: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET


SOURCES: Mapping[str, Source] = {
    "videomae": Source(
        settings="VideoMAEConfig",
        # The classifier holds the last norm of weights that were fine-tuned.
        model="VideoMAEForVideoClassification",
        types=("videomae",),
        options={},
        renames={},
    ),
    "vjepa2": Source(
        settings="VJEPA2Config",
        model="VJEPA2Model",
        types=("vjepa2",),
        options={},
        renames={},
        frames="frames_per_clip",
        size="crop_size",
    ),
    "timesformer": Source(
        settings="TimesformerConfig",
        model="TimesformerModel",
        types=("timesformer",),
        options={},
        renames={},
        normalisation=((0.45,) * 3, (0.225,) * 3),
    ),
    "vivit": Source(
        settings="VivitConfig",
        model="VivitModel",
        types=("vivit",),
        options={"add_pooling_layer": False},
        renames={},
        normalisation=HALF,
    ),
    "xclip": Source(
        settings="XCLIPVisionConfig",
        model="XCLIPVisionModel",
        types=("xclip_vision_model", "xclip"),
        options={},
        # The whole X-CLIP, which is what the hub has, holds the vision tower under this name.
        renames={r"^vision_model\.": ""},
    ),
}


def config_faults(given: Mapping[str, Any]) -> Iterator[Conflict]:
    """Unknown weights, architectures and settings, found without building a model.

    Args:
        given: Arguments of `HFVideoBackbone`, without those that do not fit their annotations.

    Yields:
        Faulty arguments and the error message.
    """
    message = missing_library()
    if message is not None:
        yield ("type",), message
        return
    model, pretrained = given.get("model"), given.get("pretrained")
    if {"model", "pretrained"} <= given.keys() and model is None and pretrained is None:
        yield ("model", "pretrained"), f"set pretrained, or model to one of {', '.join(SOURCES)}"
    message = None if pretrained is None else unknown_weights(pretrained, model)
    if message is not None:
        yield ("pretrained", "model"), message
    message = wrong_settings(given.get("config") or {}, model)
    if message is not None:
        yield ("config", "model"), message


def missing_library() -> str | None:
    """Error message if transformers is not installed; else None."""
    try:
        import transformers  # noqa: F401 (optional, and slow to import)
    except ImportError as error:
        return (
            f"HFVideoBackbone needs the package transformers, which cannot be imported ({error}). "
            'Install it with pip install "fsarbench[video]".'
        )
    return None


def unknown_weights(pretrained: str, model: str | None) -> str | None:
    """Error message if the weights cannot be those of the architecture; else None.

    Args:
        pretrained: Local folder or name on the hub.
        model: Architecture of the config; None if the weights decide.
    """
    folder = weights_file(pretrained)
    if not folder.is_dir():
        if re.fullmatch(r"[\w.-]+/[\w.-]+", pretrained) and not folder.exists():
            return None
        return (
            f"pretrained='{pretrained}' is neither a folder (looked for {folder.absolute()}) nor a "
            "name on the hub such as MCG-NJU/videomae-base."
        )
    try:
        found = architecture_of(folder)
    except UserError as error:
        return str(error)
    return other_model(model, found, pretrained) if model not in (None, found) else None


def other_model(model: str | None, found: str, pretrained: str) -> str:
    """Error message on weights of another architecture than the config's."""
    return f"model='{model}', but the weights of '{pretrained}' are those of '{found}'."


def wrong_settings(settings: Mapping[str, Any], model: str | None) -> str | None:
    """Error message if an architecture has no such settings or values; else None.

    Args:
        settings: Settings that replace the defaults or those of the weights.
        model: Architecture; None for any of them.
    """
    given = f"config is {shown(dict(settings))}, expected"
    owners = [settings_class(name) for name in ([model] if model else SOURCES)]
    for owner in owners:
        if settings.keys() <= owner.__annotations__.keys():
            try:
                owner(**settings)
            except Exception as error:
                return f"{given} other values: {first_line(error)}"
            return None
    known = owners[0].__annotations__
    unknown = next((str(key) for key in settings if key not in known), "")
    title = owners[0].__name__ if model else "one of the video models"
    return f"{given} settings of {title}: '{unknown}' is unknown.{nearest(unknown, known)}"


def settings_class(architecture: str) -> Any:
    """Settings class of an architecture in transformers."""
    import transformers

    return getattr(transformers, SOURCES[architecture].settings)


def architecture_of(folder: Path) -> str:
    """Architecture of the weights in a folder.

    Raises:
        UserError: The folder has no `config.json`, or that of another model.
    """
    try:
        kind = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder / CONFIG} cannot be read as the settings of a model ({first_line(error)}). "
            "Name a folder that save_pretrained of transformers wrote."
        ) from error
    for architecture, source in SOURCES.items():
        if kind in source.types:
            return architecture
    supported = ", ".join(SOURCES)
    raise UserError(
        f"the weights of {folder} are those of '{kind}'; HFVideoBackbone supports {supported}."
    )


def find_folder(pretrained: str, weights: bool) -> Path:
    """Folder with the settings of a model and, if asked for, its weights.

    Args:
        pretrained: Local folder or name on the hub, from which it is downloaded if necessary.
        weights: Whether the weights are needed too.

    Raises:
        UserError: The folder or the repository lacks a file, or the download failed.
    """
    folder = weights_file(pretrained)
    names = SAFETENSORS if weights else (CONFIG,)
    if not folder.is_dir():
        file = cached_file(pretrained, names)
        folder = file.parent if file is not None else downloaded(pretrained, weights)
    if any((folder / name).is_file() for name in names):
        return folder
    raise UserError(
        f"'{pretrained}' has no {' or '.join(names)} (looked in {folder}). Weights in pickle files "
        "are not read. Where you trust them, load them with transformers and write them with "
        "save_pretrained to a folder, and set pretrained to that folder."
    )


def downloaded(pretrained: str, weights: bool) -> Path:
    """Folder of a model in the hub's cache, after a download of its JSON and safetensors files.

    Raises:
        UserError: The download failed.
    """
    if not weights:
        named = f"of '{pretrained}' (here its {CONFIG})"
        return fetch(named, lambda: hf_hub_download(pretrained, CONFIG), local="folder").parent
    patterns = ["*.json", "*.safetensors"]
    return fetch(
        f"of '{pretrained}'",
        lambda: snapshot_download(pretrained, allow_patterns=patterns),
        local="folder",
    )


@dataclass(frozen=True)
class Loaded:
    """Model of transformers and what belongs to it.

    Attributes:
        architecture: Name of its architecture.
        model: Model, in evaluation mode with all parameters frozen.
        missing: Names of its parameters that the weights lack.
        mean: Mean of each colour channel in [0, 1].
        std: Standard deviation of each colour channel.
        origin: Description of the weights for error messages.
    """

    architecture: str
    model: Any
    missing: frozenset[str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str

    def require_weights(self, trunk: nn.Module) -> None:
        """Refuse weights that lack a parameter of the trunk: transformers would draw it at random.

        Raises:
            UserError: A parameter is missing.
        """
        needed = {id(parameter) for parameter in trunk.parameters()}
        names = (name for name, p in self.model.named_parameters() if id(p) in needed)
        absent = sorted(self.missing.intersection(names))
        if absent:
            more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
            raise UserError(
                f"The weights of {self.origin} lack {', '.join(absent[:3])}{more} of "
                f"{type(self.model).__name__}. Name other weights, or correct config."
            )


def load(
    model: str | None, pretrained: str | None, config: Mapping[str, Any] | None = None
) -> Loaded:
    """Load a video model of transformers, in evaluation mode with all parameters frozen.

    Under `torch.device("meta")` it is built on the meta device, without weights; of the weights
    only the file `config.json` is read.

    Args:
        model: Architecture; None for that of the weights.
        pretrained: Name on the hub, local folder, or None for random weights.
        config: Settings that replace the defaults or those of the weights.

    Raises:
        UserError: Weights, architecture or settings are unknown or do not match.
    """
    given = {"model": model, "pretrained": pretrained, "config": config}
    for _, message in config_faults(given):
        raise UserError(message)
    on_meta = torch.get_default_device().type == "meta"
    folder = None if pretrained is None else find_folder(pretrained, not on_meta)
    architecture = str(model) if folder is None else architecture_of(folder)
    # What a download brings is known only now.
    for _, message in config_faults({**given, "model": architecture}):
        raise UserError(message)
    if model not in (None, architecture):
        raise UserError(other_model(str(model), architecture, str(pretrained)))
    settings, source = settings_of(architecture, folder, config or {}), SOURCES[architecture]
    mean, std = source.normalisation if folder is None else normalisation(folder, source)
    missing: Iterable[str] = ()
    with quiet():
        if folder is None or on_meta:
            built = model_class(architecture)(settings, **source.options)
        else:
            built, missing = with_weights(architecture, folder, settings)
    frozen = built.eval().requires_grad_(False)
    return Loaded(architecture, frozen, frozenset(missing), mean, std, f"'{pretrained}'")


def model_class(architecture: str) -> Any:
    """Model class of an architecture in transformers."""
    import transformers

    return getattr(transformers, SOURCES[architecture].model)


def settings_of(architecture: str, folder: Path | None, config: Mapping[str, Any]) -> Any:
    """Settings of the weights, or the defaults, with replacements."""
    kind = settings_class(architecture)
    if folder is None:
        return kind(**config)
    with quiet():
        return kind.from_pretrained(folder, local_files_only=True, **config)


def with_weights(architecture: str, folder: Path, settings: Any) -> tuple[Any, set[str]]:
    """Model with the weights of a folder, and the names of its parameters that they lack.

    Raises:
        UserError: The weights do not fit the settings.
    """
    from transformers.utils import logging

    source = SOURCES[architecture]
    shows_progress = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        built, report = model_class(architecture).from_pretrained(
            folder,
            config=settings,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
            key_mapping=dict(source.renames) or None,
            **source.options,
        )
    except Exception as error:
        raise UserError(
            f"The weights of {folder} do not fit {source.model}: {first_line(error)}. Leave out "
            "settings of config that change the shape of weights, or name other weights."
        ) from error
    finally:
        if shows_progress:
            logging.enable_progress_bar()
    return built, set(report["missing_keys"])


def normalisation(folder: Path, source: Source) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation for pixels in [0, 1], by the preprocessor file of a folder.

    transformers multiplies bytes by `rescale_factor`, subtracts 1 if `offset` is set, and
    normalises the result.
    """
    for name in PREPROCESSORS:
        if (folder / name).is_file():
            found = json.loads((folder / name).read_text(encoding="utf-8"))
            break
    else:
        return source.normalisation
    normalised = found.get("do_normalize", True)
    mean = found.get("image_mean", source.normalisation[0]) if normalised else (0.0,) * 3
    std = found.get("image_std", source.normalisation[1]) if normalised else (1.0,) * 3
    scale = 255 * found.get("rescale_factor", 1 / 255) if found.get("do_rescale", True) else 255.0
    shift = 1.0 if found.get("offset", False) else 0.0
    return tuple((m + shift) / scale for m in mean), tuple(s / scale for s in std)
