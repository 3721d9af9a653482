"""Plan of the runs of a job, checked before the first run starts."""

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
    """One of several runs.

    Attributes:
        name: Name in tables, equal for all seeds.
        config: Path or name of the config.
        overrides: Overrides of the config, without the seed.
        seed: Training seed; None for the seed of the config.
        folder: Output folder.
        loaded: Config with overrides and seed.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    seed: int | None
    folder: Path
    loaded: LoadedConfig

    @property
    def title(self) -> str:
        """Name with the seed."""
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"

    @property
    def sets(self) -> list[str]:
        """Overrides of the config, including the seed."""
        return with_seed(self.overrides, self.seed)

    @property
    def hash(self) -> str:
        """Hash of all config values that affect results, except for the seed."""
        values = relevant(flatten(self.loaded.text()))
        text = "\n".join(f"{key}={value}" for key, value in sorted(values.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def finished(self) -> bool:
        """Whether the run has a result."""
        return (self.folder / RESULT).is_file()

    def check_folder(self) -> None:
        """Check that the folder contains no run with other settings, whose result would be used.

        Raises:
            UserError: The folder contains a run with other settings or another name.
        """
        changed = {}
        if (self.folder / CONFIG).is_file():
            text = (self.folder / CONFIG).read_text(encoding="utf-8")
            changed = differences(flatten(text), flatten(self.loaded.text()))
        if self.finished and (name := read_result(self.folder)["name"]) != self.name:
            changed["the name"] = (name, self.name)
        if changed:
            key, (old, new) = next(iter(changed.items()))
            raise UserError(
                f"{self.folder} contains a run with other settings: {key} is {old or 'not set'} "
                f"there and {new or 'not set'} here. Give another --work-dir, or remove the folder."
            )


def plan_run(name: str, config: str, overrides: Sequence[str], folder: Path) -> list[Planned]:
    """Runs of a config: a single run, or one run per seed in `<folder>/seed_<n>`.

    Raises:
        UserError: The config is invalid, or a folder contains another run.
    """
    loaded = load_config(config, overrides)
    check_config(loaded)
    without_seed = tuple(o for o in overrides if o.partition("=")[0].strip() not in SEEDS)
    seeds = loaded.values.get("seeds")
    single = loaded.values.get("seed") if len(without_seed) < len(overrides) else None
    runs = [
        Planned(
            name=name,
            config=config,
            overrides=without_seed,
            seed=seed,
            folder=folder / f"seed_{seed}" if seeds else folder,
            loaded=load_config(config, with_seed(without_seed, seed)),
        )
        for seed in seeds or [single]
    ]
    for run in runs:
        run.check_folder()
    return runs


def with_seed(overrides: Sequence[str], seed: int | None) -> list[str]:
    """Overrides with a seed; unchanged if the seed is None."""
    return [*overrides, *([] if seed is None else [f"seed={seed}"])]
