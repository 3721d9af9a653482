"""Logging of metrics to `train.jsonl` in the run folder and to visualisation backends."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from fsarbench.errors import UserError
from fsarbench.runtime import distributed
from fsarbench.runtime.finite_checks import not_finite
from fsarbench.settings import TRACKERS, tracker_name

LOG = "train.jsonl"


class Trackers:
    """Writer of scalars to the JSON-lines log and to all trackers of a run.

    Args:
        log: Open log file; None disables logging, as in all processes but the main process.
        backends: Visualisation backends of mmengine.
    """

    def __init__(self, log: TextIO | None = None, backends: Sequence[Any] = ()) -> None:
        self.log = log
        self.backends = backends

    def add(self, scalars: Mapping[str, float], episode: int) -> None:
        """Write scalars after a number of training episodes, counted over all processes."""
        if self.log is None:
            return
        values = {"episode": episode, **scalars}
        # JSON has no infinite numbers, but a gradient norm may be infinite.
        texts = {name: str(value) for name, value in not_finite(scalars).items()}
        self.log.write(json.dumps({**values, **texts}) + "\n")
        self.log.flush()
        for backend in self.backends:
            backend.add_scalars(dict(values), step=episode)


@contextmanager
def open_trackers(
    names: Sequence[str], folder: Path, run: str, config: Mapping[str, Any]
) -> Iterator[Trackers]:
    """Open the log and the trackers of a run, in the main process only.

    Args:
        names: Names of trackers, as in `train.trackers`.
        folder: Folder of the run.
        run: Name of the run.
        config: Resolved config, for trackers that display it.

    Raises:
        UserError: The package of a tracker is not installed, or a tracker cannot be started.
    """
    require_installed(names)
    if not distributed.is_main():
        yield Trackers()
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = stack.enter_context((folder / LOG).open("a", encoding="utf-8"))
        if log.tell() and not (folder / LOG).read_bytes().endswith(b"\n"):
            log.write("\n")  # the last line is incomplete, because its process was killed
        backends = [start(tracker_name(name), folder, run, config) for name in names]
        for backend in backends:
            stack.callback(backend.close)
        yield Trackers(log, backends)


def require_installed(names: Sequence[str]) -> None:
    """Check that the packages of trackers are installed.

    Raises:
        UserError: A package is missing; the message has the command to install it.
    """
    for name in names:
        module = TRACKERS[tracker_name(name)]
        if module and find_spec(module) is None:
            raise UserError(
                f"train.trackers: {name} needs the package {module}, which is not installed: "
                f"pip install {module}"
            )


def start(name: str, folder: Path, run: str, config: Mapping[str, Any]) -> Any:
    """Start a visualisation backend of mmengine and pass the config to it.

    Raises:
        UserError: The backend cannot be started, for example because the user is not logged in.
    """
    # Imported late, because these modules import OpenCV and matplotlib.
    from mmengine.config import Config
    from mmengine.registry import VISBACKENDS
    from mmengine.visualization import vis_backend  # noqa: F401  (registers the backends)

    save_dir = folder / name.lower()
    if name == "TensorBoard":
        save_dir = save_dir / "vis_data"
    registered = {key.lower(): key for key in VISBACKENDS.module_dict}
    backend_type = registered[f"{name}VisBackend".lower()]
    values = {**config, "work_dir": str(folder)}
    try:
        backend = VISBACKENDS.build(
            {"type": backend_type, "save_dir": str(save_dir), **options(name, run)}
        )
        backend.add_config(Config(json.loads(json.dumps(values, default=str))))
    except Exception as error:
        raise UserError(
            f"train.trackers: {name} could not be started: {type(error).__name__}: {error}. Remove "
            "it from train.trackers, or see the documentation of the tracker."
        ) from error
    return backend


def options(name: str, run: str) -> dict[str, Any]:
    """Options of a tracker; environment variables of the tracker take precedence."""
    if name == "WandB":
        project = os.environ.get("WANDB_PROJECT", "fsarbench")
        # By default, the horizontal axis of W&B is the number of calls.
        axis = [{"name": "*", "step_metric": "episode"}]
        return {"init_kwargs": {"project": project, "name": run}, "define_metric_cfg": axis}
    if name == "MLflow":
        # Without a server, metrics are written to files in the run folder, which MLflow must allow.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        return {
            "exp_name": os.environ.get("MLFLOW_EXPERIMENT_NAME", "fsarbench"),
            "run_name": run,
            "tracking_uri": os.environ.get("MLFLOW_TRACKING_URI"),
            # Without a suffix, mmengine uploads the whole run folder including files of MLflow.
            "artifact_suffix": (".no-artifacts",),
        }
    return {}
