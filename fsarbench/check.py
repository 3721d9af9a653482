"""Everything that is wrong with a config, at once and before anything is built."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsarbench.config import SEEDS, Loaded
from fsarbench.config_lines import lines_of
from fsarbench.data.clips import ClipSettings
from fsarbench.data.episodes import EpisodeSettings
from fsarbench.engine.settings import EvaluateSettings, TrainSettings
from fsarbench.errors import UserError, nearest
from fsarbench.registry import SLOTS
from fsarbench.signatures import argument_faults, coerce, parameters

# The sizes that assembly fills in by the name of a constructor's argument.
OFFERED = frozenset(
    {
        "width",
        "prefix",
        "mlp_width",
        "block_count",
        "block_index",
        "dim",
        "text_dim",
        "frames",
        "classes",
    }
)
TAKES_SIZES = frozenset({"adapter", "prototypes", "matcher", "losses", "readout"})
REQUIRED = ("dataset", "backbone", "readout")
MATCHING = ("prototypes", "matcher")  # not needed where nothing goes by the match
SECTIONS: dict[str, type] = {
    "clips": ClipSettings,
    "episodes": EpisodeSettings,
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        key: The dotted key.
        message: What is wrong and what was expected.
    """

    key: str
    message: str


def check(config: Loaded) -> None:
    """Hold a config against the registries and the signatures of its parts.

    Raises:
        UserError: Something is wrong; the message lists all faults with their places.
    """
    faults = list(find_faults(config.values))
    if not faults:
        return
    lines = lines_of(config.file)
    listed = "\n".join(f"  {place(fault, config, lines)}: {fault.message}" for fault in faults)
    noun = "fault" if len(faults) == 1 else "faults"
    raise UserError(f"{config.file}: {len(faults)} {noun}:\n{listed}")


def place(fault: Fault, config: Loaded, lines: Mapping[str, str]) -> str:
    """Where a fault comes from: an override, or a line of the config or of a base."""
    if fault.key in config.overrides:
        return f"--set {config.overrides[fault.key]}"
    key = fault.key
    while key not in lines and "." in key:
        key = key.rpartition(".")[0]
    return f"{fault.key} ({lines[key]})" if key in lines else fault.key


def find_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """All faults of a config's values."""
    for name, value in values.items():
        yield from key_faults(name, value)
    for name in REQUIRED:
        if values.get(name) is None:
            yield Fault(name, f"the slot '{name}' is missing: {name} = dict(type=...)")
    if SEEDS.keys() <= values.keys():
        yield Fault("seeds", "'seeds' and 'seed' are both given; leave one of them out")
    yield from text_faults(values)
    yield from matching_faults(values)


def key_faults(name: str, value: Any) -> Iterator[Fault]:
    """Faults of one top-level key."""
    if name == "losses":
        yield from losses_faults(value)
    elif name in SLOTS:
        yield from part_faults(name, name, value)
    elif name in SECTIONS:
        yield from section_faults(name, value)
    elif name == "seed":
        if not is_seed(value):
            yield Fault(name, f"expected an integer of 0 or more, got {value!r}")
    elif name == "seeds":
        yield from seeds_faults(value)
    else:
        known = nearest(name, [*SLOTS, *SECTIONS, *SEEDS])
        yield Fault(name, f"unknown top-level key '{name}'.{known}")


def is_seed(value: Any) -> bool:
    """Whether a value can be a seed."""
    return type(value) is int and value >= 0


def seeds_faults(value: Any) -> Iterator[Fault]:
    """Faults of the list of training seeds."""
    listed = isinstance(value, list | tuple) and value and all(is_seed(seed) for seed in value)
    if not listed:
        yield Fault("seeds", f"expected a list of integers of 0 or more, got {value!r}")
    elif len(set(value)) < len(value):
        yield Fault("seeds", f"a seed comes twice in {list(value)}")


def losses_faults(value: Any) -> Iterator[Fault]:
    """Faults of the losses, a dict from a name of one's own to a loss."""
    if not isinstance(value, dict):
        yield Fault("losses", "expected losses = dict(NAME=dict(type=...), ...)")
        return
    for name, spec in value.items():
        yield from part_faults("losses", f"losses.{name}", spec)


def part_faults(slot: str, key: str, spec: Any) -> Iterator[Fault]:
    """Faults of one `dict(type=..., ...)`."""
    if spec is None:
        return
    if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
        yield Fault(key, f"expected dict(type='NAME', ...), got {spec!r}")
        return
    try:
        component = SLOTS[slot].find(spec["type"])
    except UserError as error:
        yield Fault(f"{key}.type", str(error))
        return
    given = {name: value for name, value in spec.items() if name != "type"}
    if slot == "adapter":
        yield from blocks_faults(given.pop("blocks", None))
    offered = OFFERED.intersection(parameters(component)) if slot in TAKES_SIZES else frozenset()
    for name, message in argument_faults(component, given, offered):
        hint = " (left by a replaced part? then write _delete_=True beside the new type)"
        stale = name in given and name not in parameters(component)
        yield Fault(f"{key}.{name}", message + (hint if stale else ""))


def blocks_faults(blocks: Any) -> Iterator[Fault]:
    """Faults of the key `blocks`, which assembly reads for every adapter."""
    listed = isinstance(blocks, list | tuple) and all(type(i) is int for i in blocks)
    if blocks is not None and not listed:
        yield Fault("adapter.blocks", f"expected a list of block indices, got {blocks!r}")


def section_faults(name: str, value: Any) -> Iterator[Fault]:
    """Faults of a plain section; its own rules come last, since they need good types."""
    section = SECTIONS[name]
    if not isinstance(value, dict):
        yield Fault(name, f"expected a dict, got {value!r}")
        return
    found = [Fault(f"{name}.{key}", text) for key, text in argument_faults(section, value)]
    yield from found
    if not found:
        try:
            section(**coerce(section, value))
        except UserError as error:
            yield Fault(name, str(error))


def text_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Parts that need text in a config without a text encoder."""
    if values.get("text_encoder"):
        return
    for key, component in components(values, ("prototypes", "readout", "losses")):
        if component.uses_text:
            name = component.__name__
            yield Fault(f"{key}.type", f"{name} needs text; add a text_encoder to the config")


def matching_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Slots that are empty although a readout or a loss goes by the match."""
    found = components(values, ("readout", "losses"))
    names = [component.__name__ for _, component in found if component.uses_match]
    for slot in MATCHING:
        if values.get(slot) is None and (
            names or values.get("matcher") or not values.get("readout")
        ):
            going = f"; {', '.join(names)} cannot do without" if names else ""
            yield Fault(slot, f"the slot '{slot}' is missing: {slot} = dict(type=...){going}")


def components(values: Mapping[str, Any], slots: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The known components that a config names in some slots, each with its key."""
    for slot in slots:
        value = values.get(slot)
        specs = {slot: value}
        if slot == "losses":
            specs = {f"losses.{k}": v for k, v in value.items()} if isinstance(value, dict) else {}
        for key, spec in specs.items():
            name = spec.get("type") if isinstance(spec, dict) else None
            if name in SLOTS[slot].known():
                yield key, SLOTS[slot].find(name)
