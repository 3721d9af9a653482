"""Model card of a run for the Hugging Face hub, written from its result and the cards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from fsarbench.catalogue.cards import Card, MethodCard, cards, methods
from fsarbench.catalogue.published_results import task_name
from fsarbench.data.importing.known_lists import KNOWN_LISTS
from fsarbench.results.exchange.pack import setting_of
from fsarbench.results.finished_runs import Run
from fsarbench.runtime.markdown import markdown_table, markdown_text

SELECTED = {
    "val": "the validation classes",
    "test": "the TEST classes, so the accuracy is biased upwards",
    "none": "nothing; there was no training",
    "unknown": "unknown classes",
}
# Slots whose components make up a method; the others are settings of the run.
CITED = ("backbone", "adapter", "neck", "prototypes", "matcher", "losses", "readout")
NOT_STATED = "not stated"
CITATION = """@software{fsarbench,
  title = {fsarbench: a modular benchmark for few-shot action recognition},
  author = {{The authors of fsarbench}},
  version = {VERSION}
}"""


def model_card(runs: Sequence[Run], values: Mapping[str, Any], repo: str, licence: str) -> str:
    """Text of the model card.

    Args:
        runs: One run per test setting, the main setting first.
        values: Resolved config.
        repo: Repository `OWNER/NAME`.
        licence: Identifier of the licence of the weights; empty if it is not stated.
    """
    run = runs[0]
    parts = _components(run)
    method = _method(parts)
    title = method.title if method else run.name
    blocks = [
        f"---\n{_metadata(runs, licence)}---",
        f"# {markdown_text(run.name)}",
        _introduction(run, title),
        "## Accuracy",
        _accuracies(runs),
        _conditions(run),
        "## Use",
        _use(run, values, repo),
        "## Model",
        markdown_table(("", ""), ("---", "---"), [*_model_rows(run, values, parts, licence)]),
        "## Files",
        _files(run),
        "## Citation",
        _citation(run, parts, method),
    ]
    return "\n\n".join(blocks) + "\n"


def _metadata(runs: Sequence[Run], licence: str) -> str:
    """Front matter that the hub reads, with the results of all test settings."""
    first = runs[0]
    results = [
        {
            "task": {"type": "video-classification", "name": "Few-shot action recognition"},
            "dataset": {"name": f"{run.dataset}, {task_name(*run.setting[1:])}", "type": "other"},
            "metrics": [
                {
                    "type": "accuracy",
                    "name": "mean accuracy over test episodes (%)",
                    "value": round(100 * float(run.accuracies.mean()), 2),
                }
            ],
        }
        for run in runs
    ]
    values = {
        "library_name": "fsarbench",
        "pipeline_tag": "video-classification",
        **({"license": licence} if licence else {}),
        "tags": ["fsarbench", "few-shot-learning", "action-recognition", "video"],
        "model-index": [{"name": first.name, "results": results}],
    }
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return text


def _introduction(run: Run, title: str) -> str:
    trained = run.result["training"]["skipped"]
    kind = "Not trained" if trained else "Trained"
    return (
        f"{markdown_text(title)} for few-shot action recognition in video. {kind} and tested on "
        f"{markdown_text(run.dataset)} with fsarbench {run.result['versions']['fsarbench']}. An "
        "episode gives a few labelled videos of new classes; the model classifies query videos by "
        "comparison with them, without further training."
    )


def _accuracies(runs: Sequence[Run]) -> str:
    headers = ("test", "accuracy (%)", "± videos", "± episodes", "episodes")
    rows = []
    for run in runs:
        setting = setting_of(run)
        halves = (setting["intervals"]["videos"], setting["accuracy"])
        rows.append(
            (
                f"{markdown_text(run.dataset)}, {task_name(*run.setting[1:])}",
                f"{100 * float(run.accuracies.mean()):.2f}",
                *(_half_width(interval) for interval in halves),
                f"{len(run.accuracies):,}",
            )
        )
    return markdown_table(headers, ("---", *["---:"] * 4), rows)


def _half_width(interval: Mapping[str, Any]) -> str:
    half = interval["half_width"]
    return "not available" if half is None else f"{100 * half:.2f}"


def _conditions(run: Run) -> str:
    stated = run.conditions
    test, queries = stated["splits"]["test"], stated["queries_a_class"]
    clips, fingerprint = stated["clips"], stated["data_fingerprint"]
    level = run.result["accuracy"]["confidence"]
    listed = KNOWN_LISTS.get(fingerprint)
    split = f"the published list {listed}" if listed else "not one of the known published lists"
    return "\n".join(
        (
            f"- ± videos is a {level:.0%} confidence interval over test videos, ± episodes one "
            "over episodes, which most papers print and which is narrower. Neither covers the "
            "training seed; this is one training.",
            f"- Episodes: {queries} {'query' if queries == 1 else 'queries'} per class, seed "
            f"{stated['episodes_seed']}, from {test['classes']} test classes with "
            f"{test['videos']:,} videos. `episodes.npz` has every episode and prediction.",
            f"- Split: {split} (hash `{fingerprint[:8]}`).",
            f"- Clips: {clips['frames']} frames of {clips['size']} pixels, {clips['sampling']}.",
            f"- Checkpoint selected on {SELECTED[stated['selection']]}; training seed "
            f"{stated['seed']}.",
        )
    )


def _use(run: Run, values: Mapping[str, Any], repo: str) -> str:
    root = values["dataset"].get("root") is not None
    videos = "FOLDER" if root else str(values["dataset"]["type"]).lower()
    stated = run.conditions
    task = f"way={stated['way']}, shot={stated['shot']}, frames={stated['clips']['frames']}"
    override = " --set dataset.root=FOLDER" if root else ""
    needs = ", where FOLDER holds the videos" if root else ""
    return (
        f"```python\nimport fsarbench\n\n"
        f'model = fsarbench.create_model("hub:{repo}")\n'
        f'data = fsarbench.load_data("{videos}", {task})\n'
        "print(fsarbench.evaluate(model, data, episodes=1000))\n```\n\n"
        f"To repeat the test above{needs}:\n\n"
        f"```bash\nfsarbench eval hub:{repo}{override}\n```\n\n"
        f"`hub:{repo}@COMMIT` pins a version. The config is read as JSON and the weights as "
        "safetensors; no code of this repository is run."
    )


def _model_rows(
    run: Run, values: Mapping[str, Any], parts: Sequence[tuple[str, str, Card | None]], licence: str
) -> Iterator[tuple[str, str]]:
    parameters, backbone = run.result["parameters"], values["backbone"]
    yield "components", ", ".join(f"{slot} `{name}`" for slot, name, _ in parts)
    yield (
        "parameters",
        f"{parameters['total']:,}, of which {parameters['tuned']:,} trainable (in this repository)",
    )
    yield "operations", f"{run.result['gflops']['episode']:.2f} GFLOPs per episode, nothing cached"
    yield "base weights", markdown_text(_base_weights(run, backbone))
    yield "class names", "used" if values.get("text_encoder") else "not used"
    yield "training", _training(run)
    yield "licence of the weights", markdown_text(licence or NOT_STATED)


def _training(run: Run) -> str:
    training, stated = run.result["training"], run.conditions
    if training["skipped"]:
        return "none"
    task = task_name(stated["train_way"], stated["train_shot"])
    classes = stated["splits"]["train"]["classes"]
    return f"{training['best_episode']:,} episodes, {task}, from {classes} training classes"


def _base_weights(run: Run, backbone: Mapping[str, Any]) -> str:
    """Model and pretrained weights that are loaded from elsewhere, and their training data."""
    weights, seen = backbone.get("pretrained"), run.conditions.get("seen_data")
    if not weights:
        return "none (random)"
    named = ", ".join(str(backbone[key]) for key in ("model", "pretrained") if backbone.get(key))
    data = f"trained on {', '.join(seen['data'])}" if seen else "of unknown training data"
    return f"{named}, {data}; not in this repository, under their own licence"


def _files(run: Run) -> str:
    lines = ["- `config.json`: the resolved config"]
    if run.result["checkpoint"] is not None:
        lines.insert(0, "- `best.safetensors`: the trainable parameters")
    lines += [
        "- `result.json`: accuracies, intervals, conditions, costs and versions",
        "- `episodes*.npz`: videos, labels and predictions of every test episode",
    ]
    return "\n".join(lines)


def _citation(
    run: Run, parts: Sequence[tuple[str, str, Card | None]], method: MethodCard | None
) -> str:
    """Papers of the method and its components, and the entry of fsarbench."""
    papers = [method.paper] if method and method.paper else []
    papers += [card.paper for _, _, card in parts if card and card.paper]
    listed = "\n".join(f"- {markdown_text(paper)}" for paper in dict.fromkeys(papers))
    entry = CITATION.replace("VERSION", run.result["versions"]["fsarbench"])
    return f"Cite the papers of the method, and fsarbench:\n\n{listed}\n\n```bibtex\n{entry}\n```"


def _components(run: Run) -> list[tuple[str, str, Card | None]]:
    """Slot, name and card of each component; the card is None for components without one."""
    known = {(card.slot, card.name): card for card in cards()}
    slots = [(part["slot"], part["component"]) for part in run.result["parameters"]["slots"]]
    return [(slot, name, known.get((slot, name))) for slot, name in dict.fromkeys(slots)]


def _method(parts: Sequence[tuple[str, str, Card | None]]) -> MethodCard | None:
    """The method that usually has all these components; None if no or several methods do."""
    used = {slot: name for slot, name, _ in parts if slot in CITED and slot != "backbone"}
    found = [
        method
        for method in methods()
        if all(
            used.get(slot, names[0]) == names[0]
            for slot, names in method.parts.items()
            if slot in CITED and slot not in ("backbone", "losses")
        )
        and set(used) - {"losses"} <= set(method.parts)
    ]
    return found[0] if len(found) == 1 else None
