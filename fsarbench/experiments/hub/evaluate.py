"""`fsarbench eval`: test of a checkpoint, of this machine or from the hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsarbench.errors import UserError
from fsarbench.experiments.hub import is_hub
from fsarbench.experiments.hub.pull import pull
from fsarbench.experiments.run import run_checkpoint, run_loaded_checkpoint


def evaluate_checkpoint(
    config: str, checkpoint: str | None, overrides: Sequence[str] = (), **options: Any
) -> Path:
    """Test a checkpoint; returns the folder with the `result.json`.

    Args:
        config: Config of the training, or `hub:OWNER/NAME` with its own checkpoint.
        checkpoint: The checkpoint file, or the folder of its run; None for a model from the hub.
        overrides: Strings `key=value`, such as `dataset.root=FOLDER`.
        options: Further arguments of `fsarbench.experiments.run.run_checkpoint`.

    Raises:
        UserError: The checkpoint is missing, or given for a model from the hub; and as
            `run_checkpoint`.
    """
    if is_hub(config):
        if checkpoint is not None:
            raise UserError(f"--checkpoint: {config} has its own checkpoint; leave the option out.")
        pulled = pull(config, overrides)
        return run_loaded_checkpoint(
            pulled.loaded, pulled.checkpoint, hub=str(pulled.address), **options
        )
    if checkpoint is None:
        raise UserError(
            "--checkpoint is missing: best.safetensors of a run, or the folder of the run."
        )
    return run_checkpoint(config, checkpoint, overrides, **options)
