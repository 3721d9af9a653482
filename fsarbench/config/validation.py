"""Everything that is wrong with a config, at once and before anything is built."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from fsarbench.arguments.signatures import ArgumentError, argument_faults, coerce, parameters
from fsarbench.arguments.value_checks import complaint, fit, shown
from fsarbench.arguments.value_rules import NonNegativeFloat, SeedInt
from fsarbench.config.bases import lines_of
from fsarbench.config.loading import (
    BRANCH_SLOTS,
    BRANCHES,
    OUTER_KEYS,
    SECTIONS,
    SEEDS,
    LoadedConfig,
)
from fsarbench.errors import UserError, nearest
from fsarbench.registry import SLOTS
from fsarbench.video import FeatureReader

# The sizes that assembly fills in by the name of a constructor's argument.
OFFERED = frozenset(
    {
        "width",
        "prefix",
        "grid",
        "mlp_width",
        "block_count",
        "block_index",
        "dim",
        "text_dim",
        "frames",
        "classes",
    }
)
TAKES_SIZES = frozenset({"adapter", "neck", "prototypes", "matcher", "losses", "readout"})
REQUIRED = ("dataset", "backbone", "readout")
TOP_LEVEL = (*SLOTS, BRANCHES, *SECTIONS, *SEEDS)
MATCHING = ("prototypes", "matcher")  # not needed where nothing goes by the match


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        key: The dotted key.
        message: What is wrong and what was expected.
        related: Other keys that take part in it.
    """

    key: str
    message: str
    related: tuple[str, ...] = ()


def check_config(config: LoadedConfig) -> None:
    """Hold a config against the registries and the signatures of its parts.

    Raises:
        UserError: Something is wrong; the message lists all faults with their places.
    """
    report_faults(config, list(find_faults(config.values)))


def report_faults(config: LoadedConfig, faults: Sequence[Fault]) -> None:
    """Raise an error that lists faults with their places, if there are any.

    Args:
        config: Config, for the places.
        faults: All faults that were found.

    Raises:
        UserError: There is a fault.
    """
    if not faults:
        return
    # A config from the hub is JSON.
    lines = lines_of(config.file) if config.file.suffix == ".py" else {}
    listed = "\n".join(f"  {place(fault, config, lines)}: {fault.message}" for fault in faults)
    noun = "fault" if len(faults) == 1 else "faults"
    raise UserError(f"{config.file}: {len(faults)} {noun}:\n{listed}")


def place(fault: Fault, config: LoadedConfig, lines: Mapping[str, str]) -> str:
    """Where a fault comes from: an override, or a line of the config or of a base.

    An override of the key itself, of a section around it, of a key inside it or of a related key
    comes before any line: without the override there would be no such fault.
    """
    if fault.key in config.overrides:
        return f"--set {config.overrides[fault.key]}"
    for keys in ((fault.key,), fault.related):
        found = [text for name, text in config.overrides.items() if touches(name, keys)]
        if found:
            return f"{fault.key} (--set {' and --set '.join(found)})"
    key = fault.key
    while key not in lines and "." in key:
        key = key.rpartition(".")[0]
    return f"{fault.key} ({lines[key]})" if key in lines else fault.key


def touches(override: str, keys: Sequence[str]) -> bool:
    """Whether an override sets something around or inside one of the keys.

    Example:
        >>> touches("train", ["train.lr"]), touches("train.lr", ["train"]), touches("a", ["b"])
        (True, True, False)
    """
    return any(
        key.startswith(f"{override}.") or override.startswith(f"{key}.") or key == override
        for key in keys
    )


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
    yield from branch_faults(values)
    yield from feature_faults(values)


def key_faults(name: str, value: Any) -> Iterator[Fault]:
    """Faults of one top-level key."""
    if name == "losses":
        yield from losses_faults(value)
    elif name == BRANCHES:
        yield from branches_faults(value)
    elif name in SLOTS:
        yield from part_faults(name, name, value)
    elif name in SECTIONS:
        yield from section_faults(name, value)
    elif name == "seed":
        message = complaint("seed", value, SeedInt)
        if message is not None:
            yield Fault(name, message)
    elif name == "seeds":
        yield from seeds_faults(value)
    else:
        known = nearest(name, TOP_LEVEL)
        yield Fault(name, f"unknown top-level key '{name}'.{known}")


def seeds_faults(value: Any) -> Iterator[Fault]:
    """Faults of the list of training seeds."""
    message = complaint("seeds", value, Sequence[SeedInt])
    if message is not None:
        yield Fault("seeds", message)
    elif not value:
        yield Fault("seeds", "seeds is empty, expected list of one seed or more")
    elif len(set(value)) < len(value):
        yield Fault("seeds", f"a seed comes twice in {list(value)}")


def losses_faults(value: Any) -> Iterator[Fault]:
    """Faults of the losses, a dict from a name of one's own to a loss."""
    if not isinstance(value, dict):
        yield Fault("losses", "expected losses = dict(NAME=dict(type=...), ...)")
        return
    for name, spec in value.items():
        if not is_module_name(name):
            yield Fault(
                f"losses.{name}", f"{name!r} cannot name a loss: choose a word like 'match'"
            )
        yield from part_faults("losses", f"losses.{name}", spec)


def branches_faults(value: Any) -> Iterator[Fault]:
    """Faults of the branches, a dict from a name to a dict of components."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield Fault(BRANCHES, f"expected {BRANCHES} = dict(NAME=dict(matcher=..., ...), ...)")
        return
    for name, spec in value.items():
        key = f"{BRANCHES}.{name}"
        if not is_module_name(name) or name in reserved_names():
            yield Fault(key, f"{name!r} cannot name a branch: choose a word like 'motion'")
        if not isinstance(spec, dict):
            yield Fault(key, f"expected dict(matcher=dict(type=...), ...), got {shown(spec)}")
            continue
        yield from branch_key_faults(key, spec)


def branch_key_faults(branch: str, spec: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of one branch: its components, its weight, and what it lacks."""
    for name, value in spec.items():
        key = f"{branch}.{name}"
        if name in BRANCH_SLOTS:
            yield from part_faults(name, key, value)
        elif name == "weight":
            message = complaint("weight", value, NonNegativeFloat)
            if message is not None:
                yield Fault(key, message)
        else:
            known = nearest(str(name), [*BRANCH_SLOTS, "weight"])
            yield Fault(key, f"unknown key '{name}' of a branch.{known}")
    for slot in MATCHING:
        if spec.get(slot) is None:
            yield Fault(f"{branch}.{slot}", f"a branch needs {slot} = dict(type=...)")


def reserved_names() -> tuple[str, ...]:
    """Names of features in the cache and of the only branch, which no branch can have."""
    from fsarbench.episode import FRAMES, MAIN, SHARED_NECK  # here, because it imports torch

    return FRAMES, SHARED_NECK, MAIN


def is_module_name(name: Any) -> bool:
    """Whether the model can hold a module under this name, and the resolved config can write it."""
    from torch import nn  # here, because the cheap checks before it must not wait for torch

    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        return False
    return not hasattr(nn.ModuleDict, name) and name not in vars(nn.ModuleDict())


def part_faults(slot: str, key: str, spec: Any) -> Iterator[Fault]:
    """Faults of one `dict(type=..., ...)`."""
    if spec is None:
        return
    if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
        yield Fault(key, f"expected dict(type='NAME', ...), got {shown(spec)}")
        return
    try:
        component = SLOTS[slot].find(spec["type"])
    except UserError as error:
        yield Fault(f"{key}.type", str(error))
        return
    given = {name: value for name, value in spec.items() if name != "type"}
    yield from outer_key_faults(slot, key, given)
    given = {name: value for name, value in given.items() if name not in OUTER_KEYS.get(slot, ())}
    offered = OFFERED.intersection(parameters(component)) if slot in TAKES_SIZES else frozenset()
    wrong = set()
    for name, message in argument_faults(component, given, offered):
        hint = " (left by a replaced part? then write _delete_=True beside the new type)"
        stale = name in given and name not in parameters(component)
        wrong.add(name)
        # A missing argument is written nowhere: it is the type that asks for it.
        related = () if name in given else (f"{key}.type",)
        yield Fault(f"{key}.{name}", message + (hint if stale else ""), related)
    for names, message in component.config_faults(arguments(component, given, wrong)):
        keys = [f"{key}.{name}" for name in (*names, "type")]
        yield Fault(keys[0], message, tuple(keys[1:]))


def outer_key_faults(slot: str, key: str, given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of keys that are no arguments; the key `branch` is checked by `branch_faults`."""
    if slot == "adapter":
        yield from blocks_faults(given.get("blocks"))
    elif slot == "dataset":
        yield from cross_domain_faults(key, given)


def cross_domain_faults(key: str, given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of the data set of the test classes, and of the classes to leave out."""
    test, exclude = given.get("test"), given.get("exclude")
    if test is not None:
        yield from part_faults("dataset", f"{key}.test", test)
    message = complaint("exclude", exclude, Sequence[str] | None)
    if message is not None:
        yield Fault(f"{key}.exclude", message)
    elif exclude and test is None:
        yield Fault(
            f"{key}.exclude", f"exclude needs {key}.test = dict(type=...)", (f"{key}.test",)
        )


def arguments(
    component: type, given: Mapping[str, Any], left_out: Collection[str]
) -> dict[str, Any]:
    """The given arguments and the defaults of the others, without those that are at fault."""
    found = parameters(component)
    defaults = {name: p.default for name, p in found.items() if p.default is not p.empty}
    right = {name: value for name, value in {**defaults, **given}.items() if name not in left_out}
    return coerce(component, right)


def blocks_faults(blocks: Any) -> Iterator[Fault]:
    """Faults of the key `blocks`, which assembly reads for every adapter."""
    if fit(blocks, Sequence[int] | None)[1] is not None:
        message = f"expected a list of block indices, got {shown(blocks)}"
        yield Fault("adapter.blocks", message)


def section_faults(name: str, value: Any) -> Iterator[Fault]:
    """Faults of a plain section: of each field, and of fields that do not fit together."""
    section = SECTIONS[name]
    if not isinstance(value, dict):
        yield Fault(name, f"expected a dict, got {shown(value)}")
        return
    wrong = dict(argument_faults(section, value))
    yield from (Fault(f"{name}.{key}", text) for key, text in wrong.items())
    try:
        section(**arguments(section, value, wrong))
    except ArgumentError as error:
        for fields, message in error.faults:
            keys = [f"{name}.{field}" for field in fields]
            # A default stands in for a field that is at fault by itself.
            if not wrong.keys() & set(fields):
                yield Fault(keys[0], message, tuple(keys[1:]))


def text_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Parts that need text in a config without a text encoder."""
    if values.get("text_encoder"):
        return
    slots = ("neck", "prototypes", "readout", "losses", BRANCHES)
    for key, component in components(values, slots):
        if getattr(component, "uses_text", False):
            name = component.__name__
            message = f"{name} needs text; add a text_encoder to the config"
            yield Fault(f"{key}.type", message, ("text_encoder",))


def matching_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Slots that are empty although a readout or a loss goes by the match."""
    if values.get(BRANCHES):
        return
    found = components(values, ("readout", "losses"))
    names = [component.__name__ for _, component in found if component.uses_match]
    for slot in MATCHING:
        if values.get(slot) is None and (
            names or values.get("matcher") or not values.get("readout")
        ):
            going = f"; {', '.join(names)} cannot do without" if names else ""
            message = f"the slot '{slot}' is missing: {slot} = dict(type=...){going}"
            yield Fault(slot, message, tuple(f"{key}.type" for key, _ in found))


def branch_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Components both at the top and in branches, and losses or a readout of unknown branches."""
    branches = values.get(BRANCHES) or {}
    for slot in MATCHING:
        if branches and values.get(slot) is not None:
            yield Fault(
                slot,
                f"{slot} stands both at the top and in branches: a model has either one matcher "
                f"or branches; set {slot} = None at the top",
                (BRANCHES,),
            )
    losses = values.get("losses")
    specs = {f"losses.{k}": v for k, v in losses.items()} if isinstance(losses, dict) else {}
    for key, spec in {**specs, "readout": values.get("readout")}.items():
        name = spec.get("branch") if isinstance(spec, dict) else None
        if name is None:
            continue
        if name not in branches:
            has = ", ".join(branches) or "none; its only matcher needs no branch"
            yield Fault(f"{key}.branch", f"no branch '{name}'; the config has {has}", (BRANCHES,))


def feature_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Frames for a backbone that takes features, the reverse, and adapters without blocks."""
    slots = ("dataset", "reader", "backbone", "adapter")
    found = {slot: next(components(values, [slot]), (slot, None))[1] for slot in slots}
    dataset, backbone = found["dataset"], found["backbone"]
    if dataset is None or backbone is None:
        return
    reader = found["reader"] or SLOTS["reader"].find(dataset.default_reader)
    gives, sources = issubclass(reader, FeatureReader), ("dataset.type", "reader.type")
    if gives and not backbone.takes_features:
        message = f"{dataset.__name__} gives features, and {backbone.__name__} takes frames: "
        yield Fault("backbone.type", f"{message}backbone = dict(type='Precomputed')", sources)
    if backbone.takes_features and not gives:
        message = f"{backbone.__name__} takes features, and {reader.__name__} reads frames: "
        remedy = "dataset = dict(type='FeatureFolder', root=...), reader = None"
        yield Fault("backbone.type", f"{message}{remedy}", sources)
    if backbone.takes_features:
        yield from block_faults(values, found["adapter"], backbone.__name__)
    if found["reader"] is None:
        yield from reader_faults(values["dataset"].get("test"), dataset)


def reader_faults(test: Any, dataset: Any) -> Iterator[Fault]:
    """A data set of the test classes that needs another reader than that of the training."""
    name = test.get("type") if isinstance(test, dict) else None
    if name in SLOTS["dataset"].known():
        other = SLOTS["dataset"].find(name)
        if other.default_reader != dataset.default_reader:
            message = f"{name} needs {other.default_reader}, and {dataset.__name__} needs"
            remedy = f"{dataset.default_reader}: choose two data sets that one reader reads"
            yield Fault("dataset.test.type", f"{message} {remedy}", ("dataset.type",))


def block_faults(values: Mapping[str, Any], adapter: Any, backbone: str) -> Iterator[Fault]:
    """Adapters, and necks that read patch tokens, for a backbone without blocks."""
    from fsarbench.interfaces import Neck  # here, because it imports torch

    if adapter is not None and adapter.__name__ != "Frozen":
        message = f"{adapter.__name__} adapts the blocks of a backbone, and {backbone} has none"
        yield Fault("adapter.type", f"{message}: adapter = None", ("backbone.type",))
    for key, component in components(values, ("neck", BRANCHES)):
        # `width` is the width of the tokens.
        if issubclass(component, Neck) and "width" in parameters(component):
            message = f"{component.__name__} reads patch tokens, and {backbone} gives none"
            yield Fault(f"{key}.type", f"{message}: choose another neck", ("backbone.type",))


def components(values: Mapping[str, Any], slots: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The known components that a config names in some slots, each with its key."""
    for slot in slots:
        for key, kind, spec in _specs(slot, values.get(slot)):
            name = spec.get("type") if isinstance(spec, dict) else None
            if name in SLOTS[kind].known():
                yield key, SLOTS[kind].find(name)


def _specs(slot: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Key, slot and config of the components under one top-level key."""
    if slot not in ("losses", BRANCHES):
        yield slot, slot, value
    elif isinstance(value, dict):
        for name, spec in value.items():
            if slot == "losses":
                yield f"{slot}.{name}", slot, spec
            elif isinstance(spec, dict):
                yield from (
                    (f"{slot}.{name}.{own}", own, spec[own]) for own in BRANCH_SLOTS if own in spec
                )
