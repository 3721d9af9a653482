"""`--resume` continues the run that was started, and refuses any other."""

import json
import re
import shutil
from pathlib import Path

import pytest

from fsarbench.errors import UserError
from fsarbench.experiments.run import run
from fsarbench.training.resume import MAY_DIFFER
from tests.helpers.toy_dataset import make_toy

CHANGES = [
    "seed=1",
    "episodes.way=3",
    "episodes.shot=2",
    "episodes.queries=1",
    "episodes.train_way=3",
    "episodes.train_shot=2",
    "clips.frames=3",
    "clips.size=48",
    "clips.flip=True",
    "adapter.reduction=2",
    "adapter.joint_scale=0.25",
    "backbone.quick_gelu=True",
    "matcher.temperature=0.3",
    "matcher.borders=paper",
    "losses.text.temperature=0.02",
    "readout.alpha=0.5",
    "train.episodes=10",
    "train.accumulate=1",
    "train.lr=0.02",
    "train.weight_decay=0.1",
    "train.schedule=constant",
    "train.clip_grad=1.0",
    "train.together=True",
    "train.val_interval=4",
    "train.select=test",
    "evaluate.episodes=100",
    "evaluate.seed=1",
    "evaluate.confidence=0.9",
    "evaluate.batch_size=8",
    "evaluate.shots=[1, 2]",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished run in the folder `run`."""
    folder = make_toy(tmp_path_factory.mktemp("resume"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("toy.py", [], work_dir="run", quiet=True)
    return folder


def resumed(toy: Path, *sets: str, name: str = "run") -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(toy)
        return run("toy.py", sets, work_dir=name, quiet=True, resume=True)


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_with_another_input_is_refused_by_its_key_and_stays_untouched(
    toy: Path, change: str
) -> None:
    before = content(toy / "run")
    key, _, value = change.partition("=")
    with pytest.raises(UserError) as refused:
        resumed(toy, change)
    message = str(refused.value)
    assert "run cannot be resumed, because it was started with other inputs" in message
    assert f" {key} was " in message
    assert f"is {value}" in message.replace('"', "").replace("true", "True")
    assert message.count(" was ") == 2  # the sentence's own, and the key's
    assert content(toy / "run") == before


def test_other_videos_are_refused(toy: Path, tmp_path: Path) -> None:
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    (other / "videos" / "class 0" / "3.mp4").unlink()
    with pytest.raises(
        UserError, match=r"inputs: data_fingerprint was \"\w+\", is \"\w+\"\. Restore"
    ):
        resumed(other)


def test_a_default_that_is_written_out_is_no_other_input(toy: Path) -> None:
    before = content(toy / "run")
    resumed(toy, "train.trunk_lr=1e-5", "matcher.directions=both")
    assert content(toy / "run") == before


@pytest.mark.parametrize(
    "change", ["train.workers=1", "evaluate.workers=1", "train.log_interval=3", "train.trackers=[]"]
)
def test_a_finished_run_is_shown_and_left_as_it_is(
    toy: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(toy / "run")
    assert resumed(toy, change) == Path("run")
    shown = capsys.readouterr().out
    accuracy = json.loads((toy / "run" / "result.json").read_text())["accuracy"]["mean"]
    assert f"{accuracy:.2%}" in shown.replace(" %", "%")
    assert "finished already" in shown
    assert content(toy / "run") == before


def test_an_unfinished_run_is_compared_too_and_goes_on(toy: Path, tmp_path: Path) -> None:
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    (other / "run" / "result.json").unlink()
    with pytest.raises(UserError, match=r"train\.lr was 0\.01, is 0\.5\. Restore"):
        resumed(other, "train.lr=0.5")
    resumed(other, "train.workers=1")
    for name in ("episodes.csv", "best.safetensors"):
        assert (other / "run" / name).read_bytes() == (toy / "run" / name).read_bytes()


def test_a_run_that_was_killed_before_its_first_state_is_compared_and_starts_again(
    toy: Path, tmp_path: Path
) -> None:
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    kept = (other / "run" / "inputs.json").read_bytes()
    shutil.rmtree(other / "run")
    (other / "run").mkdir()
    (other / "run" / "inputs.json").write_bytes(kept)
    with pytest.raises(UserError, match=r"seed was 0, is 4"):
        resumed(other, "seed=4")
    resumed(other)
    assert (other / "run" / "episodes.csv").read_bytes() == (
        toy / "run" / "episodes.csv"
    ).read_bytes()


def test_a_folder_of_an_earlier_version_is_refused(toy: Path, tmp_path: Path) -> None:
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    (other / "run" / "inputs.json").unlink()
    before = content(other / "run")
    with pytest.raises(
        UserError, match=r"inputs\.json, the record .* is missing; earlier versions"
    ):
        resumed(other)
    assert content(other / "run") == before


def test_a_damaged_record_is_named(toy: Path, tmp_path: Path) -> None:
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    (other / "run" / "inputs.json").write_text("{")
    with pytest.raises(UserError, match=r"inputs\.json is damaged"):
        resumed(other)


def test_the_page_on_resuming_lists_the_keys_that_may_differ() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
    sentence = page.partition("may differ: ")[2].partition(".\n")[0].partition(". `")[0]
    assert set(re.findall(r"`([\w.]+)`", sentence)) == set(MAY_DIFFER)
