"""Configs without a file, composed from `configs/_base_/variants.toml`.

A name METHOD_DATASET_KSHOT[_BACKBONE] defines a list of bases and a few values. The composed config
is text in the format of a config file, and is read, checked and dumped like any other config.
METHOD may be METHOD_released: the same method with the components of the authors' released code.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from fsarbench.catalogue.package_data import resource

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

NAME = re.compile(r"([a-z0-9]+(?:_released)?)_([a-z0-9]+)_(\d+)shot((?:_[a-z0-9]+)*)")


@cache
def composed() -> Mapping[str, str]:
    """Text of every composed config by name, without the configs that have a file."""
    folder = resource("configs")
    table = tomllib.loads((folder / "_base_" / "variants.toml").read_text(encoding="utf-8"))
    texts: dict[str, str] = {}
    for variant in table["variant"]:
        for chosen in (variant, *as_released(variant)):
            texts |= dict(configs_of({**table["defaults"], **chosen}, table["suffixes"]))
    return {name: text for name, text in texts.items() if not (folder / f"{name}.py").is_file()}


def as_released(variant: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Variant with the components of the released code, if a variant has one.

    Example:
        >>> table = {"method": "a", "set": {"x": 1, "y": 2}, "released": {"y": 3}}
        >>> [(chosen["method"], chosen["set"]) for chosen in as_released(table)]
        [('a_released', {'x': 1, 'y': 3})]
    """
    if "released" in variant:
        yield {
            **{key: value for key, value in variant.items() if key != "released"},
            "method": f"{variant['method']}_released",
            "set": {**variant.get("set", {}), **variant["released"]},
            "note": "The components are those of the released code.",
        }


def configs_of(
    variant: Mapping[str, Any], suffixes: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield name and text of each config of one variant.

    Args:
        variant: Entry of the variant in the table, with defaults.
        suffixes: Suffix of the config name for each backbone.
    """
    method = variant["method"]
    combinations = product(variant["backbones"], variant["datasets"], variant["shots"])
    for backbone, dataset, shot in combinations:
        bases = [
            f"_base_/backbones/{backbone}.py",
            f"_base_/datasets/{dataset}.py",
            f"_base_/methods/{variant.get('parts', method)}.py",
            f"_base_/settings/5way_{shot}shot.py",
        ]
        if "recipe" in variant:
            bases.append(f"_base_/recipes/{value_for(dataset, shot, variant['recipe'])}.py")
        keys = variant.get("set", {})
        found = {key: value_for(dataset, shot, value) for key, value in keys.items()}
        values = {key: value for key, value in found.items() if value is not None}
        name = f"{method}_{dataset}_{shot}shot{suffixes[backbone]}"
        yield name, config_text(name, variant.get("note", ""), bases, values)


def value_for(dataset: str, shot: int, value: Any) -> Any:
    """Value for a data set and a shot; None if a table has no entry for them.

    Example:
        >>> table = {"default": 0.15, "ssv2": 0.6, "5shot": 0.3}
        >>> [value_for(*task, table) for task in (("ssv2", 5), ("ucf101", 5), ("ucf101", 1))]
        [0.6, 0.3, 0.15]
        >>> value_for("ssv2", 1, 7), value_for("ssv2", 1, {"ucf101": 2})
        (7, None)
    """
    if not isinstance(value, dict):
        return value
    keys = (dataset, f"{shot}shot", "default")
    return next((value[key] for key in keys if key in value), None)


def config_text(name: str, note: str, bases: list[str], values: Mapping[str, Any]) -> str:
    """Text of a config file.

    Example:
        >>> print(config_text("a_b_1shot", "Why.", ["x.py"], {"losses.text.weight": 3.0}), end="")
        # a_b_1shot, composed from _base_/variants.toml.
        # Why.
        _base_ = [
            "x.py",
        ]
        losses = dict(text=dict(weight=3.0))
    """
    lines = [f"# {name}, composed from _base_/variants.toml.", *([f"# {note}"] if note else [])]
    lines += ["_base_ = [", *(f'    "{base}",' for base in bases), "]"]
    for key, value in nested(values).items():
        lines.append(f"{key} = {literal(value)}")
    return "\n".join(lines) + "\n"


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of dotted keys as nested dicts, which hold all keys of one section.

    Example:
        >>> nested({"a.b": 1, "seed": 2, "a.c.d": 3})
        {'a': {'b': 1, 'c': {'d': 3}}, 'seed': 2}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        section = found
        for part in path:
            section = section.setdefault(part, {})
        section[last] = value
    return found


def literal(value: Any) -> str:
    """Source text of a value; a dict is written as a call of `dict`.

    Example:
        >>> literal({"b": 1, "c": {"d": "x"}})
        "dict(b=1, c=dict(d='x'))"
    """
    if not isinstance(value, dict):
        return repr(value)
    return f"dict({', '.join(f'{key}={literal(item)}' for key, item in value.items())})"


def is_composed(file: Path) -> bool:
    """Whether a path in the folder of the package's configs has no file and is composed."""
    in_package = not file.is_file() and file.parent.resolve() == resource("configs")
    return in_package and file.suffix == ".py" and file.stem in composed()


def source(file: Path) -> str:
    """Text of a config, from its file or composed."""
    return composed()[file.stem] if is_composed(file) else file.read_text(encoding="utf-8")


def label(file: Path) -> str:
    """Path of a config for messages, with a remark if it is composed."""
    return f"{file} (composed from _base_/variants.toml)" if is_composed(file) else str(file)


def config_names() -> list[str]:
    """All names METHOD_DATASET_KSHOT[_BACKBONE], from files or composed, sorted."""
    files = (file.stem for file in resource("configs").glob("*.py"))
    return sorted({*files, *composed()})


def other_names() -> list[str]:
    """Names of configs in subfolders, such as `profile/lora_vitb32_1shot`, sorted."""
    folder = resource("configs")
    return sorted(str(f.relative_to(folder).with_suffix("")) for f in folder.glob("profile/*.py"))


def naming_help(name: str) -> str:
    """Help for an unknown config name: similar names and the naming scheme."""
    known = [*config_names(), *other_names()]
    close = get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    method, _, rest = name.partition("_")
    released = "_released" if rest.startswith("released_") else ""
    return (
        f"{hint} A name is METHOD_DATASET_KSHOT or METHOD_DATASET_KSHOT_BACKBONE, such as "
        f"mafsar_ssv2_5shot or mafsar_ssv2_5shot_rn50.{choices(method + released)} `fsarbench list "
        "config` lists all names."
    )


def choices(method: str) -> str:
    """Data sets, shots and backbones of the configs of a method; empty for an unknown method."""
    matches = [m for m in map(NAME.fullmatch, config_names()) if m and m[1] == method]
    if not matches:
        return ""
    datasets, shots, suffixes = (sorted({match[i] for match in matches}) for i in (2, 3, 4))
    backbones = ", ".join(suffix.removeprefix("_") or "(none)" for suffix in suffixes)
    return (
        f" For {method}: DATASET is one of {', '.join(datasets)}; K is {' or '.join(shots)}; "
        f"BACKBONE is {backbones}."
    )
