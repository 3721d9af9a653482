"""Where metrics go: `train.jsonl` in the run folder, and mmengine's visualisation backends."""

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
    """Writes scalars to the JSON-lines log and to every tracker of a run.

    Args:
        log: The open log; None logs nothing, as in all processes but the main one.
        backends: mmengine's visualisation backends.
    """

    def __init__(self, log: TextIO | None = None, backends: Sequence[Any] = ()) -> None:
        self.log = log
        self.backends = backends

    def add(self, scalars: Mapping[str, float], episode: int) -> None:
        """Record scalars after a number of training episodes, counted over all processes."""
        if self.log is None:
            return
        values = {"episode": episode, **scalars}
        # JSON has no infinity; a gradient norm may be one.
        words = {name: str(value) for name, value in not_finite(scalars).items()}
        self.log.write(json.dumps({**values, **words}) + "\n")
        self.log.flush()
        for backend in self.backends:
            backend.add_scalars(dict(values), step=episode)


@contextmanager
def open_trackers(
    names: Sequence[str], folder: Path, run: str, config: Mapping[str, Any]
) -> Iterator[Trackers]:
    """Open the log and the trackers of a run, in the main process alone.

    Args:
        names: As in `train.trackers`.
        folder: The run's.
        run: How the run is called.
        config: The resolved config, for trackers that show it.

    Raises:
        UserError: A tracker's package is not installed, or the tracker cannot be started.
    """
    require_installed(names)
    if not distributed.is_main():
        yield Trackers()
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = stack.enter_context((folder / LOG).open("a", encoding="utf-8"))
        if log.tell() and not (folder / LOG).read_bytes().endswith(b"\n"):
            log.write("\n")  # The process that wrote the last line was killed.
        backends = [start(tracker_name(name), folder, run, config) for name in names]
        for backend in backends:
            stack.callback(backend.close)
        yield Trackers(log, backends)


def require_installed(names: Sequence[str]) -> None:
    """Refuse trackers whose package is not installed.

    Raises:
        UserError: A package is missing; the message says how to install it.
    """
    for name in names:
        module = TRACKERS[tracker_name(name)]
        if module and find_spec(module) is None:
            raise UserError(
                f"train.trackers: {name} needs the package {module}, which is not installed: "
                f"pip install {module}"
            )


def start(name: str, folder: Path, run: str, config: Mapping[str, Any]) -> Any:
    """Start one of mmengine's visualisation backends, and hand it the config.

    Raises:
        UserError: It cannot be started, for example because nobody is logged in.
    """
    # Imported here: OpenCV and matplotlib come with it.
    from mmengine.config import Config
    from mmengine.registry import VISBACKENDS
    from mmengine.visualization import vis_backend  # noqa: F401  (registers the backends)

    place = folder / name.lower()
    if name == "TensorBoard":
        place = place / "vis_data"
    kind = {key.lower(): key for key in VISBACKENDS.module_dict}[f"{name}VisBackend".lower()]
    values = {**config, "work_dir": str(folder)}
    try:
        backend = VISBACKENDS.build({"type": kind, "save_dir": str(place), **options(name, run)})
        backend.add_config(Config(json.loads(json.dumps(values, default=str))))
    except Exception as error:
        raise UserError(
            f"train.trackers: {name} could not be started: {type(error).__name__}: {error}. Leave "
            "it out of train.trackers, or see the tracker's own documentation."
        ) from error
    return backend


def options(name: str, run: str) -> dict[str, Any]:
    """The tracker's own options; its environment variables come first."""
    if name == "WandB":
        project = os.environ.get("WANDB_PROJECT", "fsarbench")
        # W&B counts calls, not episodes, unless it is told the axis.
        axis = [{"name": "*", "step_metric": "episode"}]
        return {"init_kwargs": {"project": project, "name": run}, "define_metric_cfg": axis}
    if name == "MLflow":
        # Without a server, metrics go to files in the run folder, which MLflow has to be told.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        return {
            "exp_name": os.environ.get("MLFLOW_EXPERIMENT_NAME", "fsarbench"),
            "run_name": run,
            "tracking_uri": os.environ.get("MLFLOW_TRACKING_URI"),
            # mmengine would upload the whole run folder, MLflow's own files below it included.
            "artifact_suffix": (".no-artifacts",),
        }
    return {}
