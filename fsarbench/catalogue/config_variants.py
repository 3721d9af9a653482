"""Configs without a file of their own, composed from `configs/_base_/variants.toml`.

A name METHOD_DATASET_KSHOT[_BACKBONE] stands for a list of bases and a few values. The composed
config is the text of a config file, so that it is read, checked and dumped as any other one.
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

NAME = re.compile(r"([a-z0-9]+)_([a-z0-9]+)_(\d+)shot((?:_[a-z0-9]+)*)")


@cache
def composed() -> Mapping[str, str]:
    """The text of every composed config by name; those that have a file are left out."""
    folder = resource("configs")
    table = tomllib.loads((folder / "_base_" / "variants.toml").read_text(encoding="utf-8"))
    texts: dict[str, str] = {}
    for variant in table["variant"]:
        texts |= dict(configs_of({**table["defaults"], **variant}, table["suffixes"]))
    return {name: text for name, text in texts.items() if not (folder / f"{name}.py").is_file()}


def configs_of(
    variant: Mapping[str, Any], suffixes: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Name and text of each config of one variant.

    Args:
        variant: Its entry in the table, with the defaults filled in.
        suffixes: What each backbone adds to a name.
    """
    method = variant["method"]
    sets = product(variant["backbones"], variant["datasets"], variant["shots"])
    for backbone, dataset, shot in sets:
        bases = [
            f"_base_/backbones/{backbone}.py",
            f"_base_/datasets/{dataset}.py",
            f"_base_/methods/{variant.get('parts', method)}.py",
            f"_base_/settings/5way_{shot}shot.py",
        ]
        if "recipe" in variant:
            bases.append(f"_base_/recipes/{value_for(dataset, variant['recipe'])}.py")
        keys = variant.get("set", {})
        values = {key: value_for(dataset, value) for key, value in keys.items()}
        name = f"{method}_{dataset}_{shot}shot{suffixes[backbone]}"
        yield name, config_text(name, variant.get("note", ""), bases, values)


def value_for(dataset: str, value: Any) -> Any:
    """The value for a data set, where it depends on the data set.

    Example:
        >>> table = {"default": 0.15, "ssv2": 0.6}
        >>> value_for("ssv2", table), value_for("ucf101", table), value_for("ssv2", 7)
        (0.6, 0.15, 7)
    """
    if not isinstance(value, dict):
        return value
    return value[dataset] if dataset in value else value["default"]


def config_text(name: str, note: str, bases: list[str], values: Mapping[str, Any]) -> str:
    """A config as it would be written by hand.

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
    sections: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        section = sections
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    lines += [f"{name} = {written(value)}" for name, value in sections.items()]
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """A value as a config writes it, with `dict(...)` for dicts.

    Example:
        >>> written({"text": {"weight": 3.0, "learnable": False}})
        'dict(text=dict(weight=3.0, learnable=False))'
    """
    if not isinstance(value, dict):
        return repr(value)
    return f"dict({', '.join(f'{name}={written(item)}' for name, item in value.items())})"


def is_composed(file: Path) -> bool:
    """Whether a path names a composed config: no file, in the folder of the package's configs."""
    inside = not file.is_file() and file.parent.resolve() == resource("configs")
    return inside and file.suffix == ".py" and file.stem in composed()


def source(file: Path) -> str:
    """The text of a config: that of its file, or the composed one where there is no file."""
    return composed()[file.stem] if is_composed(file) else file.read_text(encoding="utf-8")


def label(file: Path) -> str:
    """A config for messages: its path, and that there is no such file where it is composed."""
    return f"{file} (composed from _base_/variants.toml)" if is_composed(file) else str(file)


def config_names() -> list[str]:
    """All names METHOD_DATASET_KSHOT[_BACKBONE], with a file or composed, sorted."""
    files = (file.stem for file in resource("configs").glob("*.py"))
    return sorted({*files, *composed()})


def other_names() -> list[str]:
    """The configs in sub-folders, such as `profile/lora_vitb32_1shot`, sorted."""
    folder = resource("configs")
    return sorted(str(f.relative_to(folder).with_suffix("")) for f in folder.glob("profile/*.py"))


def naming_help(name: str) -> str:
    """The end of a message on an unknown config: the nearest names, and how names are built."""
    known = [*config_names(), *other_names()]
    close = get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    method = name.partition("_")[0]
    return (
        f"{hint} A name is METHOD_DATASET_KSHOT or METHOD_DATASET_KSHOT_BACKBONE, such as "
        f"mafsar_ssv2_5shot or mafsar_ssv2_5shot_rn50.{choices(method)} `fsarbench list config` "
        "lists all names."
    )


def choices(method: str) -> str:
    """The data sets, shots and backbones that a method has configs for; empty if there are none."""
    found = [match for match in map(NAME.fullmatch, config_names()) if match and match[1] == method]
    if not found:
        return ""
    datasets, shots, suffixes = (sorted({match[i] for match in found}) for i in (2, 3, 4))
    backbones = ", ".join(suffix.removeprefix("_") or "(none)" for suffix in suffixes)
    return (
        f" For {method}: DATASET is one of {', '.join(datasets)}; K is {' or '.join(shots)}; "
        f"BACKBONE is {backbones}."
    )
