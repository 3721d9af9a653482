"""Comparison of resolved configs by flat keys such as `matcher.temperature`."""

import ast
from collections.abc import Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")

# Keys that do not change accuracies (speed, paths), and the seed, in which repetitions differ.
IGNORED = (
    "seed",
    "evaluate.batch_size",
    "evaluate.cache",
    "evaluate.chunk",
    "evaluate.features",
    "evaluate.shots",
    "evaluate.ways",
    "train.log_interval",
    "train.trackers",
)
IGNORED_SUFFIXES = (".workers", ".root")


def flatten(text: str) -> dict[str, str]:
    r"""Values of a config by flat key, as source text.

    Example:
        >>> flatten("matcher = dict(type='OTAM', temperature=0.1)\nseed = 0\n")
        {'matcher.type': "'OTAM'", 'matcher.temperature': '0.1', 'seed': '0'}
    """
    values: dict[str, str] = {}
    for line in ast.parse(text).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            values.update(_leaves(line.targets[0].id, line.value))
    return values


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Keys with different values that may change accuracies; absent values are empty.

    Example:
        >>> differences({"train.lr": "0.1", "seed": "0"}, {"train.lr": "0.2", "seed": "1"})
        {'train.lr': ('0.1', '0.2')}
    """
    pairs = {
        key: (first.get(key, ""), second.get(key, "")) for key in dict.fromkeys([*first, *second])
    }
    return {key: pair for key, pair in relevant(pairs).items() if pair[0] != pair[1]}


def relevant(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values that may change accuracies, without the seed.

    Example:
        >>> relevant({"train.lr": "0.1", "train.workers": "2", "seed": "0"})
        {'train.lr': '0.1'}
    """
    return {key: value for key, value in values.items() if not _ignored(key)}


def _ignored(key: str) -> bool:
    return key in IGNORED or key.endswith(IGNORED_SUFFIXES)


def _leaves(key: str, value: ast.expr) -> Iterator[tuple[str, str]]:
    items = _items(value)
    for name, item in items:
        yield from _leaves(f"{key}.{name}", item)
    if not items:
        yield key, ast.unparse(value)


def _items(value: ast.expr) -> list[tuple[str, ast.expr]]:
    if isinstance(value, ast.Call) and not value.args:
        return [(str(keyword.arg), keyword.value) for keyword in value.keywords]
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return [(str(ast.literal_eval(k)), v) for k, v in pairs if k is not None]
    return []
