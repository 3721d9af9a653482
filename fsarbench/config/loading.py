"""Loading, finding, overriding and dumping configs; a config is Python, and loading one runs it."""

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
from fsarbench.config.bases import inline_bases
from fsarbench.data.clips import ClipSettings
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.registry import SLOTS
from fsarbench.runtime.shape_checks import enforce_also
from fsarbench.settings import EvaluateSettings, TrainSettings

# One seed or several: what the command line says of one takes the place of the other.
SEEDS = {"seed": "seeds", "seeds": "seed"}
SECTIONS: dict[str, type] = {
    "clips": ClipSettings,
    "episodes": EpisodeSettings,
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
}
# The top-level names of a config; what a config imports or defines beside them is no key.
BRANCHES = "branches"
# Keys in the dict of a component that are no arguments of it: the config's own.
OUTER_KEYS = {
    "adapter": {"blocks"},
    "dataset": {"test", "exclude"},
    "losses": {"branch"},
    "readout": {"branch"},
}
BRANCH_SLOTS = ("neck", "prototypes", "matcher")
KEYS = frozenset({*SLOTS, BRANCHES, *SECTIONS, *SEEDS, "custom_imports"})


@dataclass
class LoadedConfig:
    """A config with its overrides applied.

    Attributes:
        file: The file it came from.
        values: The plain values by top-level name.
        overrides: The dotted keys that the command line set.
        dropped: The keys that a replaced part left behind, by slot.
        imports: The user's own modules, which register parts.
    """

    file: Path
    values: dict[str, Any]
    overrides: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, list[str]] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file's name without suffix, which names the run."""
        return self.file.stem

    def text(self) -> str:
        """The resolved config as Python that loads again."""
        own = {"custom_imports": {"imports": self.imports}} if self.imports else {}
        return str(Config({**own, **self.values}).pretty_text)


def load_config(path: str, overrides: Sequence[str] = ()) -> LoadedConfig:
    """A config file with its bases, its custom imports and the overrides.

    Args:
        path: A file, or the name of a config that the package carries (`configs/` may lead).
        overrides: Strings `key.subkey=value`; `slot.type=X` replaces the part.

    Raises:
        UserError: The file is missing, does not run, or an override cannot be read.
    """
    file = find_config(path)
    values = read(file)
    imports = import_customs(values.pop("custom_imports", None), file)
    loaded = LoadedConfig(file, values, imports=imports)
    for override in sorted(overrides, key=replaces_type, reverse=True):
        apply(loaded, override)
    return loaded


def find_config(path: str) -> Path:
    """A config by path, else by name among those that the package carries or composes.

    A composed config has no file; its path is the one that a file of that name would have.
    """
    file = Path(path)
    if file.is_file():
        return file
    carried = resource("configs")
    inside = Path(*file.parts[1:]) if file.parts[:1] == ("configs",) else file
    for name in (inside, inside.with_suffix(".py")):
        if (carried / name).is_file():
            return carried / name
        if is_composed(carried / name):
            return carried / name.name
    raise UserError(
        f"No config '{path}': neither a file nor a name known in {carried}."
        f"{naming_help(inside.stem)}"
    )


def read(file: Path) -> dict[str, Any]:
    """The values of a config file and its bases."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            loaded = Config.fromfile(
                str(inline_bases(file, Path(folder), KEYS)),
                import_custom_modules=False,
                lazy_import=False,
                use_environment_variables=False,
            )
    except SyntaxError as error:
        raise UserError(f"{error.filename or file}:{error.lineno}: {error.msg}") from error
    except KeyError as error:  # from mmengine, or from the config's own code
        both = " Two _base_ files may not set one key." if "Duplicate key" in str(error) else ""
        raise UserError(f"{file}: {error.args[0]}.{both}") from error
    except FileNotFoundError as error:
        raise UserError(
            f"{file}: a _base_ file is missing: {error}. It is looked for beside the file that "
            f"names it, and in {resource('configs')}.{naming_help(Path(str(error)).stem)}"
        ) from error
    except Exception as error:
        raise UserError(f"{file}: does not run: {type(error).__name__}: {error}") from error
    return {key: plain(value) for key, value in loaded.to_dict().items()}


def plain(value: Any) -> Any:
    """A value as the resolved config can write it: paths as text, numpy's numbers as Python's.

    Example:
        >>> plain({"root": Path("videos") / "ssv2"})
        {'root': 'videos/ssv2'}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def import_customs(customs: Any, file: Path) -> list[str]:
    """Import a user's own modules, so that their parts register; returns their names.

    A module is looked for as usual, then in the working folder and beside the config. These two
    come last on `sys.path`, so that no file in them replaces a module of Python or of a package.

    Raises:
        UserError: A module is missing or fails, or its name belongs to another module.
    """
    if customs is None:
        return []
    names = customs.get("imports", []) if isinstance(customs, dict) else customs
    names = [names] if isinstance(names, str) else list(names)
    enforce_also(*names)
    folders = list(dict.fromkeys([os.getcwd(), str(file.parent.resolve())]))
    sys.path += [folder for folder in folders if folder not in sys.path]
    for name in names:
        refuse_shadowed(name, folders, file)
        try:
            importlib.import_module(name)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{file}: custom_imports: no '{name}' ({type(error).__name__}: {error}). "
                "It is looked for in the working folder, beside the config, and on PYTHONPATH."
            ) from error
    return names


def refuse_shadowed(name: str, folders: Sequence[str], file: Path) -> None:
    """Refuse a module in some folders whose name Python takes for another module.

    Raises:
        UserError: It is so; the message names both files.
    """
    top = name.partition(".")[0]
    own = PathFinder.find_spec(top, list(folders))
    try:
        taken = importlib.util.find_spec(top)
    except ValueError:  # a module without a spec, such as __main__
        taken = None
    if own is None or own.origin is None or taken is None or taken.origin is None:
        return
    if os.path.realpath(own.origin) != os.path.realpath(taken.origin):
        raise UserError(
            f"{file}: custom_imports: '{name}' is meant to be {own.origin}, but Python takes "
            f"'{top}' for {taken.origin}. Give your file another name."
        )


def replaces_type(override: str) -> bool:
    """Whether an override replaces a part; those come first, and others refer to the new part."""
    return override.partition("=")[0].strip().endswith(".type")


def apply(loaded: LoadedConfig, override: str) -> None:
    """Apply one `key.subkey=value` to the values."""
    key, sign, text = override.partition("=")
    key = key.strip()
    if not sign or not key:
        raise UserError(
            f"--set '{override}' is no 'key=value', such as --set matcher.temperature=0.1."
        )
    *parents, last = key.split(".")
    values: Any = loaded.values
    for depth, name in enumerate(parents):
        if not isinstance(values.setdefault(name, {}), dict):
            raise UserError(f"--set {key}: '{'.'.join(parents[: depth + 1])}' is no section.")
        values = values[name]
    if last == "type":
        loaded.dropped[".".join(parents)] = drop_stale(parents, values, str(parse(text)))
    if key in SEEDS and SEEDS[key] not in loaded.overrides:
        values.pop(SEEDS[key], None)
    values[last] = parse(text)
    # What was set below this key before is gone, and no fault can come from it.
    below = [other for other in loaded.overrides if other.startswith(f"{key}.")]
    for other in below:
        del loaded.overrides[other]
    loaded.overrides[key] = override


def drop_stale(parents: Sequence[str], values: dict[str, Any], name: str) -> list[str]:
    """Remove the keys that the new part does not have; returns their names."""
    in_branch = len(parents) == 3 and parents[0] == BRANCHES
    slot = parents[2] if in_branch else next(iter(parents), "")
    registry = SLOTS.get(slot)
    if registry is None or name not in registry.known():
        return []
    known = {*parameters(registry.find(name)), "type"}
    known |= OUTER_KEYS.get(slot, set())
    stale = [key for key in values if key not in known]
    for key in stale:
        del values[key]
    return stale


def override_strings(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Values of a config as overrides `key.subkey=value`, as `--set` takes them.

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
            plain = isinstance(value, str) and parse(value) == value
            strings.append(f"{key}={value if plain else repr(value)}")
    return strings


def parse(text: str) -> Any:
    """A Python literal, else the text itself.

    Example:
        >>> parse("0.1"), parse("[1, 2]"), parse("OTAM"), parse("None")
        (0.1, [1, 2], 'OTAM', None)
    """
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text.strip()
