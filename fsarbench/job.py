"""The main job: a config trained, tested, and written down."""

from collections.abc import Sequence
from pathlib import Path

import torch

from fsarbench.assembly import (
    Settings,
    build_dataset,
    build_model,
    build_on_meta,
    build_reader,
    build_settings,
)
from fsarbench.check import check
from fsarbench.config import Loaded, load
from fsarbench.engine.bench import Bench
from fsarbench.engine.evaluate import evaluate
from fsarbench.engine.progress import Bars
from fsarbench.engine.train import train
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel


def run(
    config: str,
    overrides: Sequence[str] = (),
    work_dir: str | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Train and test a config; returns the folder with its `result.json`.

    Raises:
        UserError: Something that the user can mend; nothing already computed is lost.
    """
    loaded = load(config, overrides)
    check(loaded)
    settings = build_settings(loaded.values)
    # Videos come first: they are what is missing most often, and looking for them costs nothing.
    dataset = build_dataset(loaded.values)
    splits = dataset.splits()
    place = choose_device(device)
    torch.manual_seed(settings.seed)
    model = build_model(loaded.values).to(place)
    clips = settings.clips.resolved(model.backbone.image_size)
    bench = Bench(
        splits=splits,
        reader=build_reader(loaded.values),
        clips=clips,
        episodes=settings.episodes,
        seed=settings.seed,
        device=place,
    )
    folder = work_folder(loaded.name, work_dir, resume)
    bars = Bars(quiet=quiet)
    training = train(model, bench, settings.train, settings.evaluate, folder, resume, bars)
    evaluation = evaluate(model, bench, "test", settings.evaluate, bars=bars)
    print(evaluation.accuracy)
    return folder


def choose_device(name: str | None) -> torch.device:
    """The device by name; the GPU where there is one.

    Raises:
        UserError: torch has no such device here.
    """
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--device {name}: not on this machine ({reason}). Try cpu.") from error
    return device


def work_folder(name: str, chosen: str | None, resume: bool) -> Path:
    """Where a run's files go; a folder with a finished run is never written over.

    Raises:
        UserError: The chosen folder holds another run and `resume` is off.
    """
    if chosen is not None:
        folder = Path(chosen)
        if folder.is_dir() and any(folder.iterdir()) and not resume:
            raise UserError(
                f"--work-dir {folder} is not empty. Name a new folder, or add --resume to go on."
            )
        return folder
    base = Path("runs")
    number, folder = 1, base / name
    while folder.exists():
        number, previous, folder = number + 1, folder, base / f"{name}-{number + 1}"
        if resume and not folder.exists():
            return previous
    return folder


__all__ = ["Loaded", "Settings", "FewShotModel", "build_on_meta", "run"]
