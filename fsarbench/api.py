"""Python API: models, data, training, testing and comparison, a few lines each.

    model = fsarbench.create_model("mafsar_synthact_1shot")
    data = fsarbench.load_data("synthact")
    fsarbench.train(model, data, episodes=300)
    print(fsarbench.evaluate(model, data, episodes=1000))

Everything here raises `fsarbench.UserError`, a `ValueError`, for input that its caller can mend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.value_checks import shown
from fsarbench.catalogue.cards import components_of_slot, methods, slots
from fsarbench.catalogue.config_variants import config_names
from fsarbench.config.build import USUAL_CLASSES, build_model, clips_for
from fsarbench.config.loading import SECTIONS, load_config, override_strings
from fsarbench.config.named_datasets import named_data_module
from fsarbench.config.validation import check_config, section_faults
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError
from fsarbench.evaluation.evaluate import evaluate as evaluate_model
from fsarbench.evaluation.given_features import evaluate_given, feature_tensor, split_of_labels
from fsarbench.experiments.hub import is_hub
from fsarbench.experiments.hub.pull import hub_model, leave_out_pretrained
from fsarbench.experiments.reload import reload_model
from fsarbench.interfaces import Matcher, PrototypeBuilder
from fsarbench.model import FewShotModel, device_of
from fsarbench.report.comparison.arrangement import arrangement
from fsarbench.report.comparison.compare import RunComparison, compare_runs
from fsarbench.results.evaluation_result import EvaluationResult, result_of
from fsarbench.results.exchange.filing import export as export
from fsarbench.results.exchange.filing import import_results as import_results
from fsarbench.results.exchange.filing import submit as submit
from fsarbench.results.exchange.verification import verify as verify
from fsarbench.results.finished_runs import Runs, find_runs, read_run
from fsarbench.runtime.environment import choose_device
from fsarbench.training.history import Training
from fsarbench.training.train import train as train_model
from fsarbench.video import SplitName


def list_models(contains: str = "") -> list[str]:
    """Names of all configs, which `create_model` and `fsarbench run` take.

    Example:
        >>> "mafsar_ssv2_5shot" in list_models("mafsar")
        True
    """
    return [name for name in config_names() if contains in name]


def list_components(slot: str | None = None) -> dict[str, list[str]]:
    """Names of all components by slot, or of one slot; `method` lists whole methods.

    Raises:
        UserError: There is no such slot.

    Example:
        >>> "OTAM" in list_components("matcher")["matcher"]
        True
    """
    if slot == "method":
        return {"method": sorted(card.name for card in methods())}
    names = slots() if slot is None else [slot]
    return {name: sorted(card.name for card in components_of_slot(name)) for name in names}


def create_model(
    name: str,
    pretrained: bool = True,
    *,
    classes: int = USUAL_CLASSES,
    device: str = "cpu",
    **overrides: Any,
) -> FewShotModel:
    """A model from a config.

    Args:
        name: Name or file of a config, or `hub:OWNER/NAME` (also with `@REVISION`) for a trained
            model on the Hugging Face hub.
        pretrained: Load the pretrained weights that the config names; False draws random ones. For
            a model on the hub these are the trained ones.
        classes: Number of training classes, for losses with a classifier over all of them; a model
            on the hub has its own.
        device: Where the model is put.
        overrides: Values of the config, such as `matcher=dict(type="BiMHM")`, or dotted keys,
            `**{"matcher.temperature": 0.1}`.

    Raises:
        UserError: The config has faults (all are named), or weights are missing.

    Example:
        >>> model = create_model("mafsar_synthact_1shot", pretrained=False)
        >>> type(model.matcher).__name__
        'OTAM'
    """
    if is_hub(name):
        return hub_model(name, override_strings(overrides), choose_device(device), pretrained)
    loaded = load_config(name, override_strings(overrides))
    if not pretrained:
        leave_out_pretrained(loaded)
    check_config(loaded)
    torch.manual_seed(loaded.values.get("seed", 0))
    return build_model(loaded.values, classes).to(choose_device(device)).eval()


def load_data(
    name: str,
    *,
    way: int = 5,
    shot: int = 1,
    queries: int = 1,
    frames: int | None = None,
    size: int | None = None,
    seed: int = 0,
    **overrides: Any,
) -> DataModule:
    """Videos of a data set, with the episodes that are drawn from them.

    Args:
        name: Name of a data set (`synthact`, `ssv2`, ...), a config, a folder of class folders, or
            a folder of features.
        way: Classes of an episode.
        shot: Support videos per class.
        queries: Query videos per class.
        frames: Frames per clip; None for those of the config, 8 by default.
        size: Side of the square crop in pixels; None for the model's own, and for that of the data
            set (64 for the built-in ones, else 224) where there is no model.
        seed: Seed of training episodes.
        overrides: Values of the config's sections `dataset`, `reader` and `clips`.

    Raises:
        UserError: Videos are missing; the message says where they were looked for.
    """
    found = named_data_module(name, override_strings(overrides))
    return replace(
        found,
        episodes=EpisodeSettings(way=way, shot=shot, queries=queries),
        clips=replace(
            found.clips,
            frames=found.clips.frames if frames is None else frames,
            size=found.clips.size if size is None else size,
        ),
        seed=seed,
    )


def train(
    model: FewShotModel,
    data: DataModule,
    *,
    work_dir: str | Path | None = None,
    validation: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Training:
    """Train a model and leave the best state of the validation classes in it.

    Args:
        model: Changed in place.
        data: Its splits `train` and `val` are used.
        work_dir: Folder of checkpoints and logs; None for a new temporary one.
        validation: Values of `EvaluateSettings` for validation.
        settings: Values of `TrainSettings`, such as `episodes=300, lr=1e-3`.

    Raises:
        UserError: A setting is wrong, a split cannot fill an episode, or a loss is not finite.
    """
    return train_model(
        model,
        _for_model(data, model),
        _settings("train", settings),
        _settings("evaluate", validation or {}),
        Path(work_dir or mkdtemp(prefix="fsarbench-")),
    )


def evaluate(
    model: FewShotModel,
    data: DataModule,
    *,
    split: SplitName = "test",
    episodes: int = 10_000,
    way: int | None = None,
    shot: int | None = None,
    queries: int | None = None,
    **settings: Any,
) -> EvaluationResult:
    """Accuracy of a model on seeded episodes.

    Args:
        model: In any mode; the mode is put back afterwards.
        data: Videos and clips.
        split: The split that is tested.
        episodes: Number of episodes.
        way: Classes of an episode; None for that of the data. So with `shot` and `queries`.
        shot: Support videos per class.
        queries: Query videos per class.
        settings: Further values of `EvaluateSettings`, such as `seed=0, batch_size=32`.

    Raises:
        UserError: A split cannot fill an episode, or a video cannot be read.
    """
    kind = {"way": way, "shot": shot, "queries": queries}
    given = {name: value for name, value in kind.items() if value is not None}
    module = _for_model(data, model)
    module = replace(module, episodes=replace(module.episodes, **given))
    chosen = _settings("evaluate", {"episodes": episodes, **settings})
    videos = module.videos_of(split)
    found = evaluate_model(model, module, split, chosen)
    return result_of(found, videos, chosen.confidence)


def evaluate_features(
    features: Any,
    labels: Sequence[Any],
    *,
    matcher: Matcher,
    prototypes: PrototypeBuilder | None = None,
    text: Float[Tensor, "A E"] | Float[Tensor, "A M E"] | None = None,
    way: int = 5,
    shot: int = 1,
    queries: int = 1,
    episodes: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
    video_ids: Sequence[str] | None = None,
) -> EvaluationResult:
    """Accuracy of prototypes and a matcher on features that were computed elsewhere.

    Args:
        features: Array or tensor "V S D", or "V D" for one feature per video.
        labels: Class of each video: numbers or names; classes are sorted.
        matcher: Scores queries against prototypes.
        prototypes: Prototype builder; None for the mean of the shots.
        text: One text feature per class, or one per sentence of each class, in the order of the
            sorted classes.
        way: Classes of an episode.
        shot: Support videos per class.
        queries: Query videos per class.
        episodes: Number of episodes.
        seed: Seed of the episodes.
        confidence: Confidence level of intervals.
        video_ids: Name of each video; None numbers them.

    Raises:
        UserError: A shape is wrong, a value is not finite, or a class has too few videos.

    Example:
        >>> from fsarbench.matchers import MeanCosine
        >>> features = torch.eye(4).repeat_interleave(5, dim=0)
        >>> labels = [c for c in "abcd" for _ in range(5)]
        >>> evaluate_features(features, labels, matcher=MeanCosine(), way=3, episodes=50).accuracy
        1.0
    """
    rows = feature_tensor(features)
    split = split_of_labels(labels, video_ids, len(rows))
    task = EpisodeSettings(way=way, shot=shot, queries=queries)
    sentences = text[:, None] if text is not None and text.ndim == 2 else text
    found = evaluate_given(rows, split, task, matcher, prototypes, sentences, episodes, seed)
    return result_of(found, split, confidence)


def load_checkpoint(run: str | Path, device: str = "cpu", trust: bool = False) -> FewShotModel:
    """The trained model of a run.

    Args:
        run: Folder of the run.
        device: Where the model is put.
        trust: Import the user's own modules that the run's config names; they are code.

    Raises:
        UserError: A file is missing or damaged, or the run needs modules and `trust` is False.
    """
    return reload_model(_only_run(run), choose_device(device), trust).eval()


def load_runs(*paths: str | Path) -> Runs:
    """Finished runs, from their folders or from folders that hold them.

    Raises:
        UserError: There is no run, or a file of one is damaged.
    """
    folders, _ = find_runs([Path(path) for path in paths])
    return Runs(run for folder in folders for run in read_run(folder))


def compare(
    runs: Runs | Sequence[str | Path] | str | Path,
    baseline: str | None = None,
    confidence: float = 0.95,
    published: bool = False,
    columns: Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    order: Sequence[str] | None = None,
    layout: str | Path | None = None,
    pairwise: bool = False,
) -> RunComparison:
    """Comparison of finished runs: intervals, paired tests, costs.

    Args:
        runs: What `load_runs` returns, or paths.
        baseline: Name of the row that the others are compared with.
        confidence: Confidence level of intervals and tests.
        published: Add what papers report of the same methods.
        columns: Keys or headers of the columns, in their order.
        rename: New names of rows by old name.
        order: Names of the rows to show first.
        layout: TOML file with `columns`, `rename` and `order`, which the arguments replace.
        pairwise: Add the tests of all pairs of rows.

    Raises:
        UserError: Runs of one name differ in more than their seed, or there is no such baseline,
            row or column.
    """
    paths = [runs] if isinstance(runs, str | Path) else runs
    found = runs if isinstance(runs, Runs) else load_runs(*paths)
    return compare_runs(
        found,
        baseline=baseline,
        confidence=confidence,
        published=published,
        arranged=arrangement(columns, rename, order, layout),
        pairwise=pairwise,
    )


def _only_run(path: str | Path) -> Any:
    found = read_run(Path(path))
    if not found:
        raise UserError(f"There is no finished run at {path}.")
    return found[0]


def _for_model(data: DataModule, model: FewShotModel) -> DataModule:
    """The data on the model's device, with clips of the size of its backbone.

    Raises:
        UserError: One of the two is something else, such as a name.
    """
    for name, value, kind, make in (
        ("model", model, FewShotModel, "create_model"),
        ("data", data, DataModule, "load_data"),
    ):
        if not isinstance(value, kind):
            raise UserError(
                f"{name} is {shown(value)}, expected a {kind.__name__} as of fsarbench.{make}."
            )
    device = device_of(model) or data.device
    return replace(data, clips=clips_for(data.clips, model.backbone), device=device)


def _settings(section: str, values: Mapping[str, Any]) -> Any:
    """Settings of a section, checked like those of a config.

    Raises:
        UserError: A name is unknown or a value is invalid; the message lists all of them.
    """
    faults = list(section_faults(section, dict(values)))
    if faults:
        raise UserError("\n".join(f"{fault.key}: {fault.message}" for fault in faults))
    return SECTIONS[section](**values)
