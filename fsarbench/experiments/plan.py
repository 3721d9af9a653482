"""What is to be run, settled and checked before the first run starts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.config.loading import SEEDS, LoadedConfig, load_config
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.results.config_diff import differences, flatten, relevant
from fsarbench.results.run_result import RESULT, read_result

CONFIG = "config.py"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run of several.

    Attributes:
        name: What it is called in tables; runs of other seeds share it.
        config: The config as it was named.
        overrides: What is set over it, without the seed.
        seed: The training seed; None leaves it to the config.
        folder: Where its results go.
        loaded: The config with everything set.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    seed: int | None
    folder: Path
    loaded: LoadedConfig

    @property
    def title(self) -> str:
        """Human-readable name with the seed."""
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"

    @property
    def sets(self) -> list[str]:
        """Everything that is set over the config, the seed included."""
        return with_seed(self.overrides, self.seed)

    @property
    def hash(self) -> str:
        """Of everything in the resolved config that changes numbers, but for the seed."""
        values = relevant(flatten(self.loaded.text()))
        text = "\n".join(f"{key}={value}" for key, value in sorted(values.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def finished(self) -> bool:
        """Whether its result is there."""
        return (self.folder / RESULT).is_file()

    def check_folder(self) -> None:
        """Refuses a folder that holds a run of other settings: its number would stand for this one.

        Raises:
            UserError: It does.
        """
        found = {}
        if (self.folder / CONFIG).is_file():
            text = (self.folder / CONFIG).read_text(encoding="utf-8")
            found = differences(flatten(text), flatten(self.loaded.text()))
        if self.finished and (name := read_result(self.folder)["name"]) != self.name:
            found["its name"] = (name, self.name)
        if found:
            key, (was, now) = next(iter(found.items()))
            raise UserError(
                f"{self.folder} holds a run of other settings: {key} is {was or 'not set'} there "
                f"and {now or 'not set'} here. Name another --work-dir, or remove that folder."
            )


def plan_run(name: str, config: str, overrides: Sequence[str], folder: Path) -> list[Planned]:
    """The runs of a config: one, or one a seed where it has `seeds`, in `<folder>/seed_<n>`.

    Raises:
        UserError: The config is wrong, or a folder holds other runs.
    """
    loaded = load_config(config, overrides)
    check_config(loaded)
    kept = tuple(o for o in overrides if o.partition("=")[0].strip() not in SEEDS)
    seeds = loaded.values.get("seeds")
    only = loaded.values.get("seed") if len(kept) < len(overrides) else None
    runs = [
        Planned(
            name=name,
            config=config,
            overrides=kept,
            seed=seed,
            folder=folder / f"seed_{seed}" if seeds else folder,
            loaded=load_config(config, with_seed(kept, seed)),
        )
        for seed in seeds or [only]
    ]
    for run in runs:
        run.check_folder()
    return runs


def with_seed(overrides: Sequence[str], seed: int | None) -> list[str]:
    """Overrides with a seed among them, if there is one."""
    return [*overrides, *([] if seed is None else [f"seed={seed}"])]
