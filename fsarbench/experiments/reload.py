"""Rebuilding of the model and the test episodes of a finished run from its folder.

The folder may come from another person, so its code is not run. The config is read as data, and the
checkpoint is a safetensors file. Modules in `custom_imports` are imported only with `trust`.
"""

from pathlib import Path

import torch

from fsarbench.config.build import USUAL_CLASSES, assemble, build_model
from fsarbench.config.loading import LoadedConfig
from fsarbench.config.resolved import load_resolved_config
from fsarbench.config.validation import check_config
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset
from fsarbench.errors import UserError
from fsarbench.evaluation.feature_cache import text_bank
from fsarbench.model import FewShotModel
from fsarbench.report.html.explanations import ReloadedRun
from fsarbench.results.finished_runs import Run
from fsarbench.results.run_result import RESULT
from fsarbench.training.checkpoint import BEST, checkpoint_of, load_weights
from fsarbench.video import Split


def reload_run(run: Run, trust: bool = False) -> ReloadedRun:
    """Rebuild the model and the test episodes of a run, on the GPU if there is one.

    Args:
        run: Finished run.
        trust: Whether to import the modules of `custom_imports`.

    Raises:
        UserError: Config, checkpoint or videos are missing or have changed, or the config needs
            `trust`.
    """
    loaded = config_of(run, trust)
    check_config(loaded)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, data_module, fingerprint = assemble(loaded, device)
    if fingerprint != run.conditions["data_fingerprint"]:
        raise UserError(f"{run.folder}: the videos of the data set have changed since this run.")
    restore(model, run)
    model.eval()
    split = data_module.splits["test"]
    episodes = EpisodeDataset(
        split, sampler(run, split), data_module.reader, data_module.clips, False, model.extra
    )
    return ReloadedRun(model, data_module, episodes, text_bank(model, split))


def reload_model(run: Run, device: torch.device, trust: bool = False) -> FewShotModel:
    """Rebuild the trained model of a run, without its videos.

    Args:
        run: Finished run.
        device: Device of the model.
        trust: Whether to import the modules of `custom_imports`.

    Raises:
        UserError: Config or checkpoint are missing or have changed, or the config needs `trust`.
    """
    loaded = config_of(run, trust)
    check_config(loaded)
    classes = run.conditions["splits"]["train"]["classes"] or USUAL_CLASSES
    model = build_model(loaded.values, classes).to(device)
    restore(model, run)
    return model.eval()


def config_of(run: Run, trust: bool = False) -> LoadedConfig:
    """Resolved config of a run; results of a results folder have it in `result.json` only.

    Args:
        run: Finished run.
        trust: Whether to import the modules of `custom_imports`.

    Raises:
        UserError: The config is missing, has code, or needs `trust`.
    """
    file = run.folder / "config.py"
    if "submission" in run.result and not file.is_file():
        return load_resolved_config(run.folder / RESULT, trust, str(run.result["config"]))
    if not file.is_file():
        raise UserError(f"{file} is missing.")
    return load_resolved_config(file, trust)


def sampler(run: Run, split: Split) -> EpisodeSampler:
    """Sampler of the test episodes of a run, with the way, shot and seed in its result."""
    tested = run.conditions
    settings = EpisodeSettings(
        way=tested["way"], shot=tested["shot"], queries=tested["queries_a_class"]
    )
    return EpisodeSampler(split, settings, tested["episodes_seed"])


def restore(model: FewShotModel, run: Run) -> None:
    """Load the checkpoint of a run into its model; a run without training has no checkpoint.

    Raises:
        UserError: The checkpoint is missing or has changed.
    """
    recorded = run.result.get("checkpoint")
    if recorded is None and run.result["training"]["skipped"]:
        return
    file = run.folder / BEST
    if recorded is not None and not file.is_file():
        file = Path(recorded["file"])
    if not file.is_file():
        raise UserError(f"{run.folder}: the checkpoint ({BEST}) is missing.")
    current = checkpoint_of(file)
    if recorded is not None and current is not None and current.sha256 != recorded["sha256"]:
        raise UserError(
            f"{file}: the checkpoint changed since this run was tested (SHA-256 differs)."
        )
    load_weights(model, file, testing=True)
