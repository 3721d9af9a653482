"""Push of a run to a double of the hub, and pull into an empty cache."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import yaml
from safetensors import safe_open
from typer.testing import CliRunner

import fsarbench
from fsarbench import UserError
from fsarbench.cli.app import app
from fsarbench.experiments.hub.address import HubAddress, parse_address
from fsarbench.experiments.hub.evaluate import evaluate_checkpoint
from fsarbench.experiments.hub.push import push
from fsarbench.experiments.run import run as run_job
from fsarbench.results.run_result import read_result
from tests.helpers.hub_double import TOKEN, Hub, Repo, running_hub

REPO = "lab/mafsar"
SHORT = [
    *("dataset.train_videos=2", "dataset.val_videos=2", "dataset.test_videos=4"),
    *("episodes.train_queries=1", "train.episodes=2", "train.warmup=0", "train.val_interval=2"),
    *("train.workers=0", "evaluate.workers=0", "evaluate.episodes=100", "evaluate.val_episodes=4"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(place / "data"))
        yield place


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    """A trained run whose config names folders of this machine."""
    overrides = [*SHORT, f"evaluate.features={home / 'store'}"]
    return run_job("mafsar_synthact_1shot", overrides, work_dir=str(home / "trained"), quiet=True)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub, a user with its token, and an empty cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    empty_cache(tmp_path / "cache", monkeypatch)
    with running_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def empty_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))


@pytest.fixture
def pushed(hub: Hub, trained: Path) -> str:
    return push(trained, REPO, licence="apache-2.0")


def latest(hub: Hub) -> dict[str, bytes]:
    return list(hub.repos[REPO].commits.values())[-1]


def changed(hub: Hub, **files: Any) -> str:
    """Address of a commit with changed JSON files."""
    names = {"config": "config.json", "result": "result.json"}
    hub.repos[REPO].commit({names[name]: json.dumps(f).encode() for name, f in files.items()})
    return f"hub:{REPO}"


def test_a_push_and_a_pull_give_the_same_predictions(
    hub: Hub, pushed: str, trained: Path, home: Path, tmp_path: Path
) -> None:
    assert re.fullmatch(rf"hub:{REPO}@[0-9a-f]{{40}}", pushed)
    again = evaluate_checkpoint(
        f"hub:{REPO}", None, ["evaluate.workers=0"], work_dir=str(tmp_path / "eval"), quiet=True
    )
    assert (again / "episodes.npz").read_bytes() == (trained / "episodes.npz").read_bytes()
    ours, theirs = read_result(again), read_result(trained)
    for key in ("accuracy", "intervals", "gflops", "parameters", "settings"):
        assert ours[key] == theirs[key]
    assert ours["hub"] == pushed
    assert theirs["hub"] is None
    assert ours["checkpoint"] == {
        "file": f"{pushed}/best.safetensors",
        "sha256": theirs["checkpoint"]["sha256"],
    }
    assert ours["conditions"]["selection"] == theirs["conditions"]["selection"] == "val"


def test_a_model_is_created_from_the_hub(pushed: str, trained: Path) -> None:
    ours, theirs = fsarbench.create_model(f"hub:{REPO}"), fsarbench.load_checkpoint(trained)
    state, expected = ours.state_dict(), theirs.state_dict()
    assert state.keys() == expected.keys()
    assert all(value.equal(expected[name]) for name, value in state.items())
    other = fsarbench.create_model(pushed, matcher={"type": "MeanCosine"}, pretrained=False)
    assert type(other.matcher).__name__ == "MeanCosine"


def test_the_repository_has_no_folder_and_no_token(
    hub: Hub, pushed: str, home: Path, tmp_path: Path
) -> None:
    files = latest(hub)
    assert files.keys() == {
        "README.md", "best.safetensors", "config.json", "episodes.npz", "result.json"
    }  # fmt: skip
    for content in files.values():
        assert str(home).encode() not in content
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    for content in (*files.values(), *(file.read_bytes() for file in written)):
        assert TOKEN.encode() not in content


def test_a_token_in_the_config_is_refused(hub: Hub, trained: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    result = read_result(copy)
    (copy / "result.json").write_text(json.dumps({**result, "name": TOKEN}))
    with pytest.raises(UserError, match="contains the token"):
        push(copy, REPO)
    assert not hub.requests


def test_the_card_says_what_a_reader_needs(hub: Hub, pushed: str, trained: Path) -> None:
    text = latest(hub)["README.md"].decode()
    _, front, body = text.split("---\n", 2)
    metadata = yaml.safe_load(front)
    assert metadata["license"] == "apache-2.0"
    assert metadata["library_name"] == "fsarbench"
    result = read_result(trained)
    accuracy = 100 * result["accuracy"]["mean"]
    (entry,) = metadata["model-index"][0]["results"]
    assert entry["metrics"][0]["value"] == pytest.approx(accuracy, abs=0.01)
    half = 100 * result["intervals"]["videos"]["half_width"]
    for words in (
        f"{accuracy:.2f} | {half:.2f}",
        f'fsarbench.create_model("hub:{REPO}")',
        'load_data("synthact", way=5, shot=1, frames=8)',
        f"fsarbench eval hub:{REPO}\n",
        "fsarbench-tiny, synthact, trained on training classes of synthact",
        "the validation classes",
        "MA-FSAR",
        "arXiv",
        "apache-2.0",
    ):
        assert words in body, words


def test_a_commit_stays_what_it_was(hub: Hub, pushed: str) -> None:
    config = json.loads(latest(hub)["config.json"])
    changed(hub, config={**config, "matcher": {"type": "MeanCosine"}})
    assert type(fsarbench.create_model(f"hub:{REPO}").matcher).__name__ == "MeanCosine"
    assert type(fsarbench.create_model(pushed).matcher).__name__ == "OTAM"


def test_without_the_hub_the_cache_is_used(
    hub: Hub, pushed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fsarbench.create_model(f"hub:{REPO}")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    count = len(hub.requests)
    fsarbench.create_model(f"hub:{REPO}")
    assert len(hub.requests) == count
    empty_cache(tmp_path / "other", monkeypatch)
    with pytest.raises(UserError, match="cannot be reached"):
        fsarbench.create_model(f"hub:{REPO}")


def test_a_server_that_is_down_is_named(
    pushed: str, monkeypatch: pytest.MonkeyPatch, trained: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 cannot be reached"):
        fsarbench.create_model("hub:lab/other")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 cannot be reached"):
        push(trained, REPO)


def test_missing_private_and_gated_repositories_are_explained(
    hub: Hub, pushed: str, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no such repository"):
        fsarbench.create_model("hub:lab/none")
    with pytest.raises(UserError, match="no branch, tag or commit 'v9'"):
        fsarbench.create_model(f"hub:{REPO}@v9")
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.delenv("HF_TOKEN")
    hub.repos[REPO].private = True
    with pytest.raises(UserError, match=r"or it is private.*hf auth login"):
        fsarbench.create_model(f"hub:{REPO}")
    hub.repos[REPO].private, hub.repos[REPO].gated = False, True
    with pytest.raises(UserError, match="asks for consent"):
        fsarbench.create_model(f"hub:{REPO}")
    with pytest.raises(UserError, match=r"another token|hf auth login"):
        push(trained, "lab/new")


def test_code_and_unknown_components_are_refused(hub: Hub, pushed: str) -> None:
    config = json.loads(latest(hub)["config.json"])
    with pytest.raises(UserError, match=r"custom_imports.*runs its code"):
        fsarbench.create_model(
            changed(hub, config={**config, "custom_imports": {"imports": ["os"]}})
        )
    with pytest.raises(UserError, match=r"Unknown matcher 'os.system'"):
        fsarbench.create_model(changed(hub, config={**config, "matcher": {"type": "os.system"}}))
    with pytest.raises(UserError, match="unknown top-level key '_base_'"):
        fsarbench.create_model(changed(hub, config={**config, "_base_": ["x.py"]}))
    with pytest.raises(UserError, match="is no JSON object"):
        fsarbench.create_model(changed(hub, config=[1]))
    hub.repos[REPO].commit({"config.json": b"import os\n"})
    with pytest.raises(UserError, match="expected a JSON text"):
        fsarbench.create_model(f"hub:{REPO}")
    with pytest.raises(UserError, match="at most"):
        fsarbench.create_model(changed(hub, config={"a": "b" * 2**21}))


def test_a_config_of_the_hub_names_no_folder_of_this_machine(
    hub: Hub, pushed: str, tmp_path: Path
) -> None:
    config = json.loads(latest(hub)["config.json"])
    assert "features" not in config["evaluate"]
    config["evaluate"]["features"] = str(tmp_path / "written")
    overrides = ["evaluate.workers=0", "evaluate.episodes=2"]
    evaluate_checkpoint(
        changed(hub, config=config), None, overrides, work_dir=str(tmp_path / "eval"), quiet=True
    )
    assert not (tmp_path / "written").exists()


def test_other_weights_and_other_repositories_are_refused(hub: Hub, pushed: str) -> None:
    hub.repos[REPO].commit({"best.safetensors": b"not the weights"})
    with pytest.raises(UserError, match="SHA-256 differs"):
        fsarbench.create_model(f"hub:{REPO}")
    hub.repos["lab/bert"] = Repo()
    hub.repos["lab/bert"].commit({"pytorch_model.bin": b"pickle"})
    with pytest.raises(UserError, match="is no model of fsarbench"):
        fsarbench.create_model("hub:lab/bert")
    assert not any("pytorch_model" in request for request in hub.requests)


def test_a_run_without_training_has_no_weights(hub: Hub, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frozen"
    overrides = [*SHORT, "train.episodes=0", "evaluate.shots=[2]"]
    run_job("frozen_synthact_1shot", overrides, work_dir=str(folder), quiet=True)
    push(folder, "lab/frozen")
    files = list(hub.repos["lab/frozen"].commits.values())[-1]
    assert "best.safetensors" not in files
    assert "episodes_5way_2shot.npz" in files
    card = files["README.md"].decode()
    assert "SynthAct, 5-way 2-shot | " in card
    assert "| licence of the weights | not stated |" in card
    assert "| training | none |" in card
    again = evaluate_checkpoint(
        "hub:lab/frozen", None, ["evaluate.workers=0"], work_dir=str(tmp_path / "eval"), quiet=True
    )
    assert (again / "episodes.npz").read_bytes() == (folder / "episodes.npz").read_bytes()
    second = "episodes_5way_2shot.npz"
    assert (again / second).read_bytes() == (folder / second).read_bytes()
    assert read_result(again)["hub"].startswith("hub:lab/frozen@")


def test_the_pushed_weights_are_safetensors(hub: Hub, pushed: str, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(latest(hub)["best.safetensors"])
    with safe_open(file, framework="pt") as stored:
        assert any(name.startswith("backbone.") for name in stored.keys())  # noqa: SIM118


def test_the_command_line(hub: Hub, trained: Path) -> None:
    done = CliRunner().invoke(app, ["push", str(trained), REPO, "--private"])
    assert done.exit_code == 0, done.output
    assert f"pushed to hub:{REPO}@" in done.output
    assert hub.repos[REPO].private
    for words, expected in (
        (["eval", f"hub:{REPO}", "--checkpoint", "x"], "leave the option out"),
        (["eval", "mafsar_synthact_1shot"], "--checkpoint is missing"),
    ):
        assert expected in str(CliRunner().invoke(app, words).exception)


def test_addresses() -> None:
    assert parse_address("me/model") == HubAddress("me/model")
    for text in ("hub:model", "hub:me/model@", "hub:../x", "hub:me/a/b", "hub:me/..", "hub:"):
        with pytest.raises(UserError, match="is no repository of the hub"):
            parse_address(text)
