"""The resolved config of a run as flat keys, to say in what two runs differ."""

import ast
from collections.abc import Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")

# What changes no number: who computes, where files lie, and the seed, which repetitions differ in.
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
IGNORED_ENDS = (".workers", ".root")


def flat(text: str) -> dict[str, str]:
    r"""Every value of a config by its key, as source text.

    Example:
        >>> flat("matcher = dict(type='OTAM', temperature=0.1)\nseed = 0\n")
        {'matcher.type': "'OTAM'", 'matcher.temperature': '0.1', 'seed': '0'}
    """
    found: dict[str, str] = {}
    for line in ast.parse(text).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found.update(_leaves(line.targets[0].id, line.value))
    return found


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The keys that change numbers and are not the same, with both values; absent ones are empty.

    Example:
        >>> differences({"train.lr": "0.1", "seed": "0"}, {"train.lr": "0.2", "seed": "1"})
        {'train.lr': ('0.1', '0.2')}
    """
    pairs = {
        key: (ours.get(key, ""), theirs.get(key, "")) for key in dict.fromkeys([*ours, *theirs])
    }
    return {k: pair for k, pair in deciding(pairs).items() if pair[0] != pair[1]}


def deciding(values: Mapping[str, Value]) -> dict[str, Value]:
    """What changes numbers, without the seed.

    Example:
        >>> deciding({"train.lr": "0.1", "train.workers": "2", "seed": "0"})
        {'train.lr': '0.1'}
    """
    return {key: value for key, value in values.items() if not _ignored(key)}


def _ignored(key: str) -> bool:
    return key in IGNORED or key.endswith(IGNORED_ENDS)


def _leaves(key: str, value: ast.expr) -> Iterator[tuple[str, str]]:
    for name, inner in _entries(value):
        yield from _leaves(f"{key}.{name}", inner)
    if not _entries(value):
        yield key, ast.unparse(value)


def _entries(value: ast.expr) -> list[tuple[str, ast.expr]]:
    if isinstance(value, ast.Call) and not value.args:
        return [(str(keyword.arg), keyword.value) for keyword in value.keywords]
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return [(str(ast.literal_eval(k)), v) for k, v in pairs if k is not None]
    return []
