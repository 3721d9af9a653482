"""A model of two branches, one with a neck that reads patch tokens, through every command."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.errors import UserError
from fsarbench.experiments.run import run
from fsarbench.results.run_result import read_result
from tests.helpers.toy_dataset import environment, fsarbench, make_toy
from tests.integration.test_torchrun import TORCHRUN

BRANCHES = """
prototypes = None
matcher = None
branches = dict(
    static=dict(prototypes=dict(type="TextGuided"), matcher=dict(type="OTAM")),
    motion=dict(
        neck=dict(type="PatchEnrichment", level=2, heads=2, out_dim=32),
        prototypes=dict(type="Mean"),
        matcher=dict(type="TRX", cardinalities=[2], key_dim=8),
        weight=0.5,
    ),
)
losses = dict(motion=dict(type="EpisodeCrossEntropy", branch="motion", weight=0.1))
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished run of two branches in the folder `run`."""
    folder = make_toy(tmp_path_factory.mktemp("branches"))
    with (folder / "toy.py").open("a") as file:
        file.write(BRANCHES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run("toy.py", [], work_dir="runs/cached", quiet=True)
    return folder


def episodes(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "episodes.npz") as arrays:
        return dict(arrays)


def test_cached_and_uncached_evaluation_agree(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy)
    assert read_result(toy / "runs/cached")["conditions"]["route"]["cached"] is True
    run("toy.py", ["evaluate.cache=False"], work_dir="uncached", quiet=True)
    for name, values in episodes(toy / "runs/cached").items():
        np.testing.assert_array_equal(values, episodes(toy / "uncached")[name])


def test_a_finished_run_resumes_and_a_disk_cache_serves_the_next(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    for name in ("first", "second"):
        run("toy.py", ["train.episodes=0", "evaluate.features=kept"], work_dir=name, quiet=True)
    before = {file.name for file in (toy / "kept").rglob("*.safetensors")}
    assert len(before) >= 2  # features of the backbone and of the neck
    np.testing.assert_array_equal(
        episodes(toy / "first")["predictions"], episodes(toy / "second")["predictions"]
    )
    # Another neck has features of its own.
    other = ["train.episodes=0", "evaluate.features=kept", "branches.motion.neck.level=3"]
    run("toy.py", other, work_dir="third", quiet=True)
    assert {file.name for file in (toy / "kept").rglob("*.safetensors")} >= before
    assert len(list((toy / "kept").iterdir())) == 2


def test_two_processes_test_as_one(toy: Path) -> None:
    done = subprocess.run(
        [*TORCHRUN, "-m", "fsarbench", "run", "toy.py", "--set=train.accumulate=1", "--name=two"],
        cwd=toy,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    alone = fsarbench(toy, "eval", "toy.py", "--checkpoint=runs/two", "--work-dir=alone")
    assert alone.returncode == 0, alone.stderr
    for name, values in episodes(toy / "runs/two").items():
        np.testing.assert_array_equal(values, episodes(toy / "alone")[name])


def test_profile_counts_slots_of_branches(toy: Path) -> None:
    done = fsarbench(toy, "profile", "toy.py", "--no-time", "--json", "profile.json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads((toy / "profile.json").read_text())["configs"]
    slots = record["operations"]["testing"]["slots"]
    assert {"motion.neck", "motion.matcher", "static.prototypes", "static.matcher"} <= set(slots)
    assert sum(slots.values()) == record["operations"]["testing"]["episode"]
    assert "motion.neck" in done.stdout


def test_the_report_shows_both_branches(toy: Path) -> None:
    done = fsarbench(toy, "report", "runs/cached", "-o", "report.html", "--trust")
    assert done.returncode == 0, done.stderr
    text = (toy / "report.html").read_text(encoding="utf-8")
    found = re.search(
        r'<script type="application/json" id="[^"]*-data">(.*?)</script>', text, re.DOTALL
    )
    assert found is not None
    (method,) = json.loads(found[1])[0]["methods"]
    assert [picture["branch"] for picture in method["pictures"]] == ["motion", "static"]
    assert {"logits of static", "logits of motion"} <= set(method["parts"])
    assert method["branches"] == {"static": 1.0, "motion": 0.5}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("branches.motion.weight=-1", "branches.motion.weight"),
        ("branches.motion.matcher=None", "a branch needs matcher"),
        ("branches.motion.heads=2", "unknown key 'heads' of a branch"),
        ("branches.motion.neck.levels=2", "PatchEnrichment has no argument 'levels'"),
        ("branches.frames={'matcher': None}", "cannot name a branch"),
        ("matcher={'type': 'OTAM'}", "both at the top and in branches"),
        ("losses.motion.branch=audio", "no branch 'audio'"),
    ],
)
def test_faults_of_branches_are_named(toy: Path, change: str, expected: str) -> None:
    with pytest.raises(UserError, match=re.escape(expected)):
        check_config(load_config(str(toy / "toy.py"), [change]))


def test_an_override_of_a_type_drops_the_arguments_of_the_old_one(toy: Path) -> None:
    loaded = load_config(str(toy / "toy.py"), ["branches.motion.matcher.type=MeanCosine"])
    assert loaded.values["branches"]["motion"]["matcher"] == {"type": "MeanCosine"}
    assert loaded.dropped["branches.motion.matcher"] == ["cardinalities", "key_dim"]
    check_config(loaded)
