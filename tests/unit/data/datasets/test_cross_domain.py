"""Test classes of another data set: classes left out, labels, faults, and a whole run."""

import re
from pathlib import Path

import pytest

from fsarbench.config.build import build_dataset
from fsarbench.config.loading import load_config
from fsarbench.config.validation import check_config
from fsarbench.data.datasets.cross_domain import CrossDomain
from fsarbench.errors import UserError
from fsarbench.experiments.run import run
from fsarbench.results.finished_runs import read_run
from fsarbench.video import Split, SplitName, Video, VideoDataset
from tests.helpers.toy_dataset import make_toy


class Classes(VideoDataset):
    """Two videos per class."""

    def __init__(self, folder: str, classes: dict[str, list[str]]) -> None:
        self.folder = folder
        self.classes = classes

    def splits(self) -> dict[SplitName, Split]:
        return {
            name: Split(
                name,
                tuple(self.classes[name]),
                tuple(text.replace("_", " ") for text in self.classes[name]),
                tuple(
                    Video(f"{text}/{k}", Path(self.folder, text, f"{k}.mp4"), label)
                    for label, text in enumerate(self.classes[name])
                    for k in range(2)
                ),
            )
            for name in ("train", "val", "test")
        }

    def fingerprint(self) -> str:
        return self.folder


SOURCE = Classes(
    "a", {"train": ["run", "Pull_Up", "jump"], "val": ["sit", "wave"], "test": ["x", "y"]}
)
TARGET = Classes("b", {"train": ["jump"], "val": ["sit"], "test": ["pull up", "swim"]})


def test_test_classes_are_no_training_classes() -> None:
    data = CrossDomain(SOURCE, TARGET)
    splits = data.splits()
    assert splits["train"].classes == ("run", "jump")
    assert [(v.id, v.label) for v in splits["train"].videos][2:] == [("jump/0", 1), ("jump/1", 1)]
    assert splits["val"].classes == ("sit", "wave")
    assert splits["test"] == TARGET.splits()["test"]
    assert data.excluded_classes == ("Pull_Up",)


def test_classes_are_left_out_by_name() -> None:
    data = CrossDomain(SOURCE, TARGET, ["run", "wave"])
    assert data.splits()["train"].classes == ("jump",)
    assert data.excluded_classes == ("run", "Pull_Up", "wave")
    assert data.fingerprint() != CrossDomain(SOURCE, TARGET).fingerprint()
    with pytest.raises(UserError, match=r"no class 'runn'.*run"):
        CrossDomain(SOURCE, TARGET, ["runn"]).splits()
    with pytest.raises(UserError, match="no val class remains"):
        CrossDomain(SOURCE, TARGET, ["sit", "wave"]).splits()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_toy(tmp_path_factory.mktemp("cross"))
    other = tmp_path_factory.mktemp("other")
    make_toy(other)
    text = (folder / "toy.py").read_text()
    test = f'test=dict(type="VideoFolder", root="{other / "videos"}"), exclude=["class 0"]'
    (folder / "toy.py").write_text(text.replace('root="videos"', f'root="videos", {test}'))
    return folder


def test_a_run_trains_on_one_and_tests_on_the_other(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    run("toy.py", ["train.episodes=2", "evaluate.episodes=20"], work_dir="run", quiet=True)
    (result,) = read_run(toy / "run")
    assert result.dataset == "VideoFolder -> VideoFolder"
    assert result.conditions["splits"]["train"]["classes"] == 2
    loaded = load_config("run/config.py", ["dataset.test.splits=other.csv"])
    with pytest.raises(UserError, match=re.escape("other.csv (dataset.splits)")):
        build_dataset(loaded.values).splits()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("dataset.test.type=VideoFolders", "Unknown dataset 'VideoFolders'"),
        ("dataset.test.root=3", "dataset.test.root"),
        ("dataset.exclude=3", "exclude"),
        ("dataset.test=None", "exclude needs dataset.test"),
    ],
)
def test_faults_are_named(toy: Path, change: str, expected: str) -> None:
    with pytest.raises(UserError, match=re.escape(expected)):
        check_config(load_config(str(toy / "toy.py"), [change]))
