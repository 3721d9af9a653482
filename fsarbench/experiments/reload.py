"""The model of a finished run, and what it was tested on, from the run's folder.

The folder may come from somebody else: its config is read as data, and its checkpoint is a
safetensors file, so that rebuilding a run executes nothing from it. Only modules that the config
names in `custom_imports` are code, and they need `trust`.
"""

from pathlib import Path

import torch

from fsarbench.config.build import USUAL_CLASSES, assemble, build_model
from fsarbench.config.resolved import load_resolved_config
from fsarbench.config.validation import check_config
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
from fsarbench.data.loader import EpisodeDataset
from fsarbench.errors import UserError
from fsarbench.evaluation.feature_cache import text_bank
from fsarbench.model import FewShotModel
from fsarbench.report.html.explanations import ReloadedRun
from fsarbench.results.finished_runs import Run
from fsarbench.training.checkpoint import BEST, checkpoint_of, load_weights
from fsarbench.video import Split


def reload_run(run: Run, trust: bool = False) -> ReloadedRun:
    """The model and the test episodes of a run, on the GPU where there is one.

    Args:
        run: The finished run.
        trust: Import the modules that its config names in `custom_imports`.

    Raises:
        UserError: Its config, weights or videos are not there any more, or are others; or its
            config needs `trust`.
    """
    config = run.folder / "config.py"
    if not config.is_file():
        raise UserError(f"{config} is missing.")
    loaded = load_resolved_config(config, trust)
    check_config(loaded)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, data_module, fingerprint = assemble(loaded, device)
    if fingerprint != run.conditions["data_fingerprint"]:
        raise UserError(f"{run.folder}: the data set has other videos now than when it was run.")
    restore(model, run)
    model.eval()
    split = data_module.splits["test"]
    episodes = EpisodeDataset(
        split, sampler(run, split), data_module.reader, data_module.clips, False, model.extra
    )
    return ReloadedRun(model, data_module, episodes, text_bank(model, split))


def reload_model(run: Run, device: torch.device, trust: bool = False) -> FewShotModel:
    """The trained model of a run; its videos are not needed.

    Args:
        run: The finished run.
        device: Where the model is put.
        trust: Import the modules that its config names in `custom_imports`.

    Raises:
        UserError: Its config or weights are not there any more, or are others; or its config
            needs `trust`.
    """
    loaded = load_resolved_config(run.folder / "config.py", trust)
    check_config(loaded)
    classes = run.conditions["splits"]["train"]["classes"] or USUAL_CLASSES
    model = build_model(loaded.values, classes).to(device)
    restore(model, run)
    return model.eval()


def sampler(run: Run, split: Split) -> EpisodeSampler:
    """Which videos made up the run's episodes; a config may have been tested on several kinds."""
    said = run.conditions
    kind = EpisodeSettings(way=said["way"], shot=said["shot"], queries=said["queries_a_class"])
    return EpisodeSampler(split, kind, said["episodes_seed"])


def restore(model: FewShotModel, run: Run) -> None:
    """Load the checkpoint of a run into its model; a run without training has none.

    Raises:
        UserError: They are missing, or are not those that were tested.
    """
    said = run.result.get("checkpoint")
    if said is None and run.result["training"]["skipped"]:
        return
    file = run.folder / BEST
    if said is not None and not file.is_file():
        file = Path(said["file"])
    if not file.is_file():
        raise UserError(f"{run.folder}: the checkpoint ({BEST}) is missing.")
    found = checkpoint_of(file)
    if said is not None and found is not None and found.sha256 != said["sha256"]:
        raise UserError(
            f"{file}: the checkpoint changed since this run was tested (SHA-256 differs)."
        )
    load_weights(model, file, testing=True)
