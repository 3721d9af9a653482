"""Finding, loading and overriding of configs. A config is Python code; loading it runs the code."""

import ast
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from fsarbench.arguments.signatures import parameters
from fsarbench.catalogue.config_variants import is_composed, naming_help
from fsarbench.catalogue.package_data import resource
from fsarbench.config.bases import resolve_bases
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.registry import SLOTS
from fsarbench.runtime.shape_checks import enforce_also
from fsarbench.settings import EvaluateSettings, TrainSettings

# A config has one seed or a list of seeds; setting one of the keys replaces the other.
SEEDS = {"seed": "seeds", "seeds": "seed"}
SECTIONS: dict[str, type] = {
    "clips": ClipSettings,
    "episodes": EpisodeSettings,
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
}
BRANCHES = "branches"
# Keys in the dict of a component that are not arguments of its constructor.
OUTER_KEYS = {
    "adapter": {"blocks"},
    "dataset": {"test", "exclude"},
    "losses": {"branch"},
    "readout": {"branch"},
}
BRANCH_SLOTS = ("neck", "prototypes", "matcher")
# Top-level keys of a config. All other names that a config imports or defines are no keys.
KEYS = frozenset({*SLOTS, BRANCHES, *SECTIONS, *SEEDS, "custom_imports"})


@dataclass
class LoadedConfig:
    """Config with overrides applied.

    Attributes:
        file: Config file.
        values: Values by top-level key.
        overrides: Text of each applied override by dotted key.
        dropped: Keys that were removed because a new component has no such arguments, by slot.
        imports: Names of the user's modules that register components.
    """

    file: Path
    values: dict[str, Any]
    overrides: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, list[str]] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the file without suffix, the default name of a run."""
        return self.file.stem

    def text(self) -> str:
        """Text of a config file with all values, without bases."""
        imports = {"custom_imports": {"imports": self.imports}} if self.imports else {}
        return str(Config({**imports, **self.values}).pretty_text)


def load_config(path: str, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Load a config with its bases and custom imports, and apply overrides.

    Args:
        path: Config file, or name of a config of the package, also with `configs/` in front.
        overrides: Strings `key.subkey=value`; `slot.type=NAME` replaces the component.

    Raises:
        UserError: The file is missing, running it fails, or an override is invalid.
    """
    file = find_config(path)
    values = read_values(file)
    imports = import_custom_modules(values.pop("custom_imports", None), file)
    loaded = LoadedConfig(file, values, imports=imports)
    for override in sorted(overrides, key=sets_type, reverse=True):
        apply_override(loaded, override)
    return loaded


def find_config(path: str) -> Path:
    """Find a config by path, or by name in the package.

    A composed config has no file; the path that its file would have is returned.
    """
    file = Path(path)
    if file.is_file():
        return file
    folder = resource("configs")
    relative = Path(*file.parts[1:]) if file.parts[:1] == ("configs",) else file
    for name in (relative, relative.with_suffix(".py")):
        if (folder / name).is_file():
            return folder / name
        if is_composed(folder / name):
            return folder / name.name
    raise UserError(
        f"No config '{path}': expected a file or the name of a config in {folder}."
        f"{naming_help(relative.stem)}"
    )


def read_values(file: Path) -> dict[str, Any]:
    """Run a config file and return its values, merged with those of its bases."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            loaded = Config.fromfile(
                str(resolve_bases(file, Path(folder), KEYS)),
                import_custom_modules=False,
                lazy_import=False,
                use_environment_variables=False,
            )
    except SyntaxError as error:
        raise UserError(f"{error.filename or file}:{error.lineno}: {error.msg}") from error
    except KeyError as error:  # from mmengine, or from the code of the config
        duplicate = "Duplicate key" in str(error)
        hint = " Only one of the _base_ files may set a key." if duplicate else ""
        raise UserError(f"{file}: {error.args[0]}.{hint}") from error
    except FileNotFoundError as error:
        raise UserError(
            f"{file}: missing _base_ file {error}. Searched: the folder of the config that names "
            f"it, and {resource('configs')}.{naming_help(Path(str(error)).stem)}"
        ) from error
    except Exception as error:
        raise UserError(
            f"{file}: running the config failed: {type(error).__name__}: {error}"
        ) from error
    return {key: to_plain(value) for key, value in loaded.to_dict().items()}


def to_plain(value: Any) -> Any:
    """Value that a resolved config can hold: paths become strings, numpy scalars Python numbers.

    Example:
        >>> to_plain({"root": Path("videos") / "ssv2"})
        {'root': 'videos/ssv2'}
    """
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(to_plain, value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def import_custom_modules(custom_imports: Any, file: Path) -> list[str]:
    """Import the user's modules, which register components, and return the names of the modules.

    The working folder and the folder of the config are appended to `sys.path`. They are last, so
    that a file in them cannot replace a module of Python or of a package.

    Args:
        custom_imports: Value of the key `custom_imports`; None for no modules.
        file: Config file.

    Raises:
        UserError: A module is missing, importing it fails, or its name is that of another module.
    """
    if custom_imports is None:
        return []
    names = (
        custom_imports.get("imports", []) if isinstance(custom_imports, dict) else custom_imports
    )
    names = [names] if isinstance(names, str) else list(names)
    enforce_also(*names)
    folders = list(dict.fromkeys([os.getcwd(), str(file.parent.resolve())]))
    sys.path += [folder for folder in folders if folder not in sys.path]
    for name in names:
        reject_shadowed_module(name, folders, file)
        try:
            importlib.import_module(name)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{file}: custom_imports: importing '{name}' failed ({type(error).__name__}: "
                f"{error}). Searched: PYTHONPATH, the working folder, and the folder of the config."
            ) from error
    return names


def reject_shadowed_module(name: str, folders: Sequence[str], file: Path) -> None:
    """Check that a module in some folders has not the name of another installed module.

    Raises:
        UserError: Python would import another module of this name.
    """
    top = name.partition(".")[0]
    local = PathFinder.find_spec(top, list(folders))
    try:
        imported = importlib.util.find_spec(top)
    except ValueError:  # a module without a spec, such as __main__
        imported = None
    if local is None or local.origin is None or imported is None or imported.origin is None:
        return
    if os.path.realpath(local.origin) != os.path.realpath(imported.origin):
        raise UserError(
            f"{file}: custom_imports: '{name}' should be {local.origin}, but Python imports "
            f"{imported.origin} as '{top}'. Rename your file."
        )


def sets_type(override: str) -> bool:
    """Whether an override sets a component; these are applied before overrides of arguments."""
    return override.partition("=")[0].strip().endswith(".type")


def apply_override(loaded: LoadedConfig, override: str) -> None:
    """Apply one override `key.subkey=value` to a config."""
    key, sign, text = override.partition("=")
    key = key.strip()
    if not sign or not key:
        raise UserError(
            f"--set '{override}': expected key=value, such as --set matcher.temperature=0.1."
        )
    *parents, last = key.split(".")
    values: Any = loaded.values
    for depth, name in enumerate(parents):
        if not isinstance(values.setdefault(name, {}), dict):
            section = ".".join(parents[: depth + 1])
            raise UserError(f"--set {key}: '{section}' is a single value without sub-keys.")
        values = values[name]
    if last == "type":
        component = str(parse_value(text))
        loaded.dropped[".".join(parents)] = drop_unknown_keys(parents, values, component)
    if key in SEEDS and SEEDS[key] not in loaded.overrides:
        values.pop(SEEDS[key], None)
    values[last] = parse_value(text)
    # Earlier overrides of nested keys are replaced, so they must not be named in messages.
    replaced = [other for other in loaded.overrides if other.startswith(f"{key}.")]
    for other in replaced:
        del loaded.overrides[other]
    loaded.overrides[key] = override


def drop_unknown_keys(parents: Sequence[str], values: dict[str, Any], name: str) -> list[str]:
    """Remove keys that are no arguments of the new component, and return the removed keys."""
    in_branch = len(parents) == 3 and parents[0] == BRANCHES
    slot = parents[2] if in_branch else next(iter(parents), "")
    registry = SLOTS.get(slot)
    if registry is None or name not in registry.known():
        return []
    known = {*parameters(registry.find(name)), "type"}
    known |= OUTER_KEYS.get(slot, set())
    unknown = [key for key in values if key not in known]
    for key in unknown:
        del values[key]
    return unknown


def override_strings(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Values of a config as overrides `key.subkey=value` for `--set`.

    Example:
        >>> override_strings({"matcher": {"type": "OTAM", "temperature": 0.1}, "seed": 1})
        ['matcher.type=OTAM', 'matcher.temperature=0.1', 'seed=1']
    """
    strings: list[str] = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            strings += override_strings(value, f"{key}.")
        else:
            unquoted = isinstance(value, str) and parse_value(value) == value
            strings.append(f"{key}={value if unquoted else repr(value)}")
    return strings


def parse_value(text: str) -> Any:
    """Value of a Python literal; other text is returned as a string.

    Example:
        >>> [parse_value(text) for text in ("0.1", "[1, 2]", "OTAM", "None")]
        [0.1, [1, 2], 'OTAM', None]
    """
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text.strip()
