"""The main job: a config trained, tested, and written down."""

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from fsarbench.arguments.signatures import coerce, parameters
from fsarbench.catalogue.pretraining import seen_record
from fsarbench.config.build import Settings, assemble, build_settings
from fsarbench.config.components import build_dataset, build_reader, dataset_name
from fsarbench.config.loading import BRANCHES, LoadedConfig, load_config
from fsarbench.config.validation import check_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.paths import expand_path
from fsarbench.errors import UserError
from fsarbench.evaluation.disk_cache import CacheFolders
from fsarbench.evaluation.evaluate import evaluate_all, samplers
from fsarbench.experiments.frame_cache import store_frames
from fsarbench.model import FewShotModel
from fsarbench.registry import SLOTS
from fsarbench.report.run_summary import dropped, result_table
from fsarbench.results.predictions import predictions_of
from fsarbench.results.run_result import (
    RESULT,
    Origin,
    corpus_hash,
    describe_run,
    read_result,
    write_run,
)
from fsarbench.runtime import distributed
from fsarbench.runtime.atomic_files import require_writable
from fsarbench.runtime.environment import choose_device
from fsarbench.runtime.finite_checks import require_finite_weights
from fsarbench.runtime.folder_lock import claim_new, is_used, locked_folder
from fsarbench.runtime.progress import ProgressBars, make_console
from fsarbench.training.checkpoint import (
    BEST,
    Checkpoint,
    checkpoint_of,
    load_checkpoint,
)
from fsarbench.training.history import Training
from fsarbench.training.resume import begin_run
from fsarbench.training.trackers import Trackers, open_trackers
from fsarbench.training.train import train

RUNS = Path("runs")
PARTS = "parts"  # of the test, in the work folder, until the result is written


@dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that is tested, and where its result goes.

    Attributes:
        name: Name of the result in tables.
        folder: Where it is written.
        loaded: The config.
        settings: Its plain sections.
        model: On its device.
        data_module: Videos, clips, episodes.
        fingerprint: Of the data.
        bars: Progress bars, shown by the main process only.
        hub: Repository and commit on the hub that the model is from; empty for a local one.
    """

    name: str
    folder: Path
    loaded: LoadedConfig
    settings: Settings
    model: FewShotModel
    data_module: DataModule
    fingerprint: str
    bars: ProgressBars
    hub: str = ""


def run(  # noqa: PLR0913 (one argument per option)
    config: str,
    overrides: Sequence[str] = (),
    *,
    name: str | None = None,
    work_dir: str | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    launcher: str | None = None,
    cache_frames: bool = False,
) -> Path:
    """Train and test a config; returns the folder with its `result.json`.

    Args:
        config: A config file or the name of a config.
        overrides: Strings `key=value`.
        name: Name of the run in tables; None for the config's name.
        work_dir: Folder of the results; None for a new numbered folder below `runs`.
        device: Name of the device; None for the GPU where there is one.
        resume: Go on with the run in the work folder.
        quiet: Show no progress.
        launcher: `slurm` for processes that `srun` starts; None for those of `torchrun`, or one.
        cache_frames: Decode every video once into a frame store, and read from it; the results are
            the same.

    Raises:
        UserError: Something that the user can mend; nothing already computed is lost.
    """
    start = time.monotonic()
    loaded = load_one_seed(config, overrides)
    target = join(device, launcher)
    with ExitStack() as held:
        job = prepare(
            loaded, target, held, name=name, work_dir=work_dir, resume=resume, quiet=quiet
        )
        if cache_frames:
            job = with_stored_frames(job)
        if begin(job, resume):
            return show_finished(job)
        training, log = train_job(job, resume, held)
        tuned = None if training.skipped else checkpoint_of(job.folder / BEST, BEST)
        return finish(job, training, tuned, start, log)


def train_job(job: Job, resume: bool, held: ExitStack) -> tuple[Training, Trackers]:
    """Train a job's model; returns the training and the open trackers, closed with `held`."""
    settings = job.settings
    opened = open_trackers(settings.train.trackers, job.folder, job.name, job.loaded.values)
    log = held.enter_context(opened)
    training = train(
        job.model,
        job.data_module,
        settings.train,
        settings.evaluate,
        job.folder,
        resume,
        job.bars,
        log,
    )
    return training, log


def run_checkpoint(  # noqa: PLR0913 (one argument per option)
    config: str,
    checkpoint: str,
    overrides: Sequence[str] = (),
    *,
    name: str | None = None,
    work_dir: str | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    cache_frames: bool = False,
) -> Path:
    """Test a checkpoint; returns the folder with the `result.json`.

    Args:
        config: That of the training; overrides may change how it is tested.
        checkpoint: The checkpoint file, or the folder of its run.
        overrides: Strings `key=value`.
        name: Name of the result in tables; None for the config's name.
        work_dir: Folder of the result; None for a new numbered folder below `runs`.
        device: Name of the device; None for the GPU where there is one.
        resume: Go on with the test in the work folder.
        quiet: Show no progress.
        cache_frames: As in `run`.

    Raises:
        UserError: The checkpoint is missing or does not fit the model; and as `run`.
    """
    loaded = load_one_seed(config, overrides)
    return run_loaded_checkpoint(
        loaded,
        Path(checkpoint),
        name=name,
        work_dir=work_dir,
        device=device,
        resume=resume,
        quiet=quiet,
        cache_frames=cache_frames,
    )


def run_loaded_checkpoint(  # noqa: PLR0913 (one argument per option)
    loaded: LoadedConfig,
    file: Path | None,
    *,
    name: str | None = None,
    work_dir: str | None = None,
    device: str | None = None,
    resume: bool = False,
    quiet: bool = False,
    hub: str = "",
    cache_frames: bool = False,
) -> Path:
    """Test a checkpoint of a checked config; returns the folder with the `result.json`.

    Args:
        loaded: Config with one seed.
        file: Checkpoint file; None for a model without training.
        name: Name of the result in tables; None for the config's name.
        work_dir: Folder of the result; None for a new numbered folder below `runs`.
        device: Name of the device; None for the GPU where there is one.
        resume: Go on with the test in the work folder.
        quiet: Show no progress.
        hub: Repository and commit on the hub that the model is from; empty for a local one.
        cache_frames: As in `run`.

    Raises:
        UserError: The checkpoint does not fit the model; and as `run`.
    """
    start = time.monotonic()
    target = join(device)
    with ExitStack() as held:
        job = prepare(
            loaded,
            target,
            held,
            name=name,
            work_dir=work_dir,
            resume=resume,
            quiet=quiet,
            ending="_eval",
        )
        if cache_frames:
            job = with_stored_frames(job)
        job = replace(job, hub=hub)
        training, tested = Training(skipped="the model was not trained"), None
        if file is not None:
            training, tested = load_checkpoint(job.model, file)
        if hub and tested is not None:
            tested = replace(tested, file=f"{hub}/{BEST}")
        if begin(job, resume, tested):
            return show_finished(job)
        return finish(job, training, tested, start)


def load_one_seed(config: str, overrides: Sequence[str]) -> LoadedConfig:
    """A checked config with a single training seed.

    Raises:
        UserError: The config has faults, or several seeds.
    """
    loaded = load_config(config, overrides)
    check_config(loaded)
    if loaded.values.get("seeds"):
        raise UserError(f"{config} has several seeds; take one of them here: --set seed=0.")
    return loaded


def prepare(
    loaded: LoadedConfig,
    device: torch.device,
    held: ExitStack,
    *,
    name: str | None,
    work_dir: str | None,
    resume: bool,
    quiet: bool,
    ending: str = "",
) -> Job:
    """A checked config with its model and data, ready to be trained and tested.

    Args:
        loaded: The config.
        device: Device of this process.
        held: Keeps the folder claimed, by the main process, until it is closed.
        name: Name of the result in tables; None for the config's name.
        work_dir: Folder of the results; None for a new numbered one.
        resume: Go on with the run in the folder.
        quiet: Show no progress.
        ending: Appended to the name of a numbered folder.
    """
    if distributed.is_main():
        for line in dropped(loaded):
            print(line)
    name = name or loaded.name
    folder = distributed.decide(
        lambda: work_folder(name + ending, held, work_dir=work_dir, resume=resume)
    )
    with distributed.main_first():  # Built-in videos are made once.
        model, data_module, fingerprint = assemble(loaded, device)
    require_finite_weights(model, f"The weights of {name}")
    settings = build_settings(loaded.values)
    # A test split that cannot fill an episode is found out before hours of training.
    samplers(data_module, "test", settings.evaluate)
    return Job(
        name=name,
        folder=folder,
        loaded=loaded,
        settings=settings,
        model=model,
        data_module=data_module,
        fingerprint=fingerprint,
        bars=ProgressBars(quiet=quiet or not distributed.is_main()),
    )


def with_stored_frames(job: Job) -> Job:
    """The job, reading from a frame store that has all of its videos; its config names the store.

    Raises:
        UserError: As `store_frames`.
    """
    reader = store_frames(job.loaded.values, job.data_module, job.bars)
    job.loaded.values = {**job.loaded.values, "reader": reader}
    data_module = replace(job.data_module, reader=build_reader(job.loaded.values))
    return replace(job, data_module=data_module)


def begin(job: Job, resume: bool, checkpoint: Checkpoint | None = None) -> bool:
    """Record what a run starts with, or compare it on a resume; returns whether it is finished.

    Raises:
        UserError: The run in the folder was started with other inputs.
    """
    inputs = run_inputs(job, checkpoint)
    return distributed.decide(lambda: begin_run(job.folder, inputs, resume, RESULT))


def run_inputs(job: Job, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Everything that a run's numbers depend on: the resolved config, data and processes.

    Defaults are filled in, so a key that is left out equals one that is set to its default.
    """
    parts = {name: value for name, value in job.loaded.values.items() if name in SLOTS}
    parts.setdefault("reader", {"type": type(job.data_module.reader).__name__})
    weights = job.data_module.feature_info.get("weights")
    return {
        **{name: with_defaults(name, spec) for name, spec in parts.items() if spec is not None},
        **asdict(job.settings),
        "custom_imports": list(job.loaded.imports),
        BRANCHES: {
            name: {key: branch_part(key, part) for key, part in spec.items()}
            for name, spec in (job.loaded.values.get(BRANCHES) or {}).items()
        },
        "data_fingerprint": job.fingerprint,
        "corpus_sha256": corpus_hash(job.model),
        "device": job.data_module.device.type,
        "processes": distributed.count(),
        "checkpoint": None if checkpoint is None else checkpoint.sha256,
        **({} if weights is None else {"feature_weights": weights}),
    }


def branch_part(key: str, value: Any) -> Any:
    """A component of a branch with its defaults, or the weight of the branch."""
    return with_defaults(key, value) if isinstance(value, Mapping) else value


def with_defaults(slot: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A component's arguments, the defaults of those that the config leaves out among them."""
    if "type" not in spec:  # losses have one component for each name
        return {name: with_defaults(slot, loss) for name, loss in spec.items() if loss is not None}
    component = SLOTS[slot].find(spec["type"])
    known = parameters(component).items()
    defaults = {name: p.default for name, p in known if p.default is not p.empty}
    return {**defaults, **coerce(component, spec)}


def show_finished(job: Job) -> Path:
    """Print the result of a run that was finished before; nothing is computed or written."""
    if distributed.is_main():
        make_console().print(result_table(read_result(job.folder)))
        print(f"{job.folder} is finished already; its result was left as it is")
    distributed.stop()
    return job.folder


def finish(
    job: Job,
    training: Training,
    tuned: Checkpoint | None,
    start: float,
    trackers: Trackers | None = None,
) -> Path:
    """Test the model of a job, write the result and print it; returns the folder.

    Args:
        job: The model and its data.
        training: How the model was trained.
        tuned: The checkpoint that is tested; None for a model without training.
        start: Monotonic time at which the run began, in seconds.
        trackers: Trackers that the test accuracies are added to.
    """
    data_module, settings = job.data_module, job.settings.evaluate
    evaluations = evaluate_all(
        job.model, data_module, "test", settings, job.bars, cache_folders_of(job)
    )
    if not distributed.is_main():
        distributed.stop()
        return job.folder
    origin = origin_of(job, tuned, time.monotonic() - start)
    result = describe_run(job.model, data_module, settings, training, evaluations, origin)
    write_run(
        job.folder, result, [predictions_of(e, data_module.splits["test"]) for e in evaluations]
    )
    if trackers is not None:
        trackers.add(test_scalars(result), training.best_episode)
    # The result is whole: nothing will go on from the parts any more.
    shutil.rmtree(job.folder / PARTS, ignore_errors=True)
    make_console().print(result_table(result))
    if origin.skipped:
        print(f"{len(origin.skipped)} bad videos were left out; result.json names them")
    print(f"written to {job.folder}")
    distributed.stop()
    return job.folder


def origin_of(job: Job, checkpoint: Checkpoint | None, seconds: float) -> Origin:
    """Config, data set, checkpoint and duration of a job, for its result.

    Args:
        job: The model and its data.
        checkpoint: The checkpoint that was tested; None for a model without training.
        seconds: Seconds from the start of the run to the end of the test.
    """
    info, dataset = job.data_module.feature_info, build_dataset(job.loaded.values)
    return Origin(
        name=job.name,
        config=job.loaded.text(),
        # Features are of the data set that they were computed from.
        dataset=info.get("dataset", dataset_name(job.loaded.values)),
        fingerprint=job.fingerprint,
        total_seconds=seconds,
        skipped=dataset.skipped,
        listed=dataset.listed,
        excluded_classes=dataset.excluded_classes,
        checkpoint=checkpoint,
        hub=job.hub,
        seen_data=info.get("seen_data", seen_record(job.loaded.values["backbone"])),
    )


def test_scalars(result: Mapping[str, Any]) -> dict[str, float]:
    """The test accuracies of a result, for the trackers."""
    first, *others = result["settings"]
    scalars = {"test/accuracy": first["accuracy"]["mean"]}
    for kind in others:
        name = f"test/accuracy_{kind['way']}way_{kind['shot']}shot"
        scalars[name] = kind["accuracy"]["mean"]
    return scalars


def join(device: str | None, launcher: str | None = None) -> torch.device:
    """The device of this process, once it has met the others of the run, if there are any.

    Raises:
        UserError: There is no such device, or no such launcher.
    """
    if launcher == "slurm":
        distributed.start_slurm()
    elif launcher is not None:
        raise UserError(f"--launcher {launcher}: it can be slurm; torchrun needs no such option.")
    chosen = choose_device(distributed.local_device(device))
    distributed.start(chosen)
    return chosen


def cache_folders_of(job: Job) -> CacheFolders:
    """Where the finished parts of a job's test go."""
    shared = job.settings.evaluate.features
    parts = job.folder / PARTS
    return CacheFolders(
        features=parts / "features" if shared is None else expand_path(shared, "evaluate.features"),
        scores=parts / "scores",
        config=job.loaded.values,
    )


def work_folder(
    name: str, held: ExitStack, *, work_dir: str | None = None, resume: bool = False
) -> Path:
    """Where a run's files go, claimed for this process; a run is never written over.

    Args:
        name: Name of a numbered folder below `runs`, where `work_dir` is None.
        held: Keeps the folder claimed until it is closed.
        work_dir: The folder; None for a numbered one.
        resume: Take the folder of the last run of this name, to go on with it.

    Raises:
        UserError: The folder cannot be written, another process writes to it, it holds something
            and `resume` is off, or there is no run to resume.
    """
    place = RUNS if work_dir is None else Path(work_dir)
    require_writable(place, "--work-dir", folder=True)
    if work_dir is not None:
        folder = Path(work_dir)
        held.enter_context(locked_folder(folder))
        if not resume and is_used(folder):
            raise UserError(
                f"--work-dir {folder} is not empty. Name a new folder, or add --resume to go on."
            )
        return folder
    numbered = [RUNS / name, *(RUNS / f"{name}-{number}" for number in range(2, 10_000))]
    if not resume:
        return held.enter_context(locked_folder(next(filter(claim_new, numbered))))
    taken = [folder for folder in numbered if folder.exists()]
    if not taken:
        raise UserError(f"--resume: there is no run {RUNS / name} to go on with.")
    return held.enter_context(locked_folder(taken[-1]))
