"""Features that `fsarbench features` wrote give the results of the videos, with less work."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fsarbench
from fsarbench.config.loading import parse_value
from fsarbench.config.named_datasets import named_data_module
from fsarbench.data.loader import ClipDataset
from fsarbench.data.synthetic.synthact.dataset import ensure
from fsarbench.errors import UserError
from fsarbench.experiments.features import SHARD, write_feature_folder
from fsarbench.experiments.reload import reload_run
from fsarbench.experiments.run import run, run_checkpoint
from fsarbench.profiling.profile import TimingOptions, profile
from fsarbench.report.comparison.compare import comparison_of
from fsarbench.report.comparison.footnotes import remarks
from fsarbench.report.html.report import episode
from fsarbench.report.profile_table import remarks as profile_remarks
from fsarbench.runtime.progress import ProgressBars

CONFIG = "frozen_synthact_1shot"
SMALL = [f"dataset.{name}_videos=2" for name in ("train", "val", "test")]
QUICK = [
    "episodes.train_queries=1",
    "train.workers=0",
    "train.warmup=0",
    "evaluate.workers=0",
    "evaluate.val_episodes=10",
    "text_encoder=None",
    "losses={'match': {'type': 'EpisodeCrossEntropy'}}",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two videos per class, and their features in the folder `features`."""
    place = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(place / "data"))
        ensure(2, 2, 2, workers=1, progress=False)
        encode(place / "features", SMALL)
        yield place


def encode(
    out: Path, overrides: Sequence[str] = (), config: str | None = CONFIG, **more: Any
) -> Path:
    sets = [*overrides, "evaluate.workers=0"]
    return write_feature_folder(config, sets, out=str(out), device="cpu", quiet=True, **more)


def given(home: Path) -> list[str]:
    return [
        "dataset.type=FeatureFolder",
        f"dataset.root={home / 'features'}",
        "backbone.type=Precomputed",
    ]


def finished(folder: Path, base: str, overrides: Sequence[str], episodes: int = 0) -> Path:
    """Run a config without adapter, trained on some episodes."""
    sets = [*overrides, *QUICK, "adapter=None", f"train.episodes={episodes}"]
    sets += [f"train.val_interval={episodes or 1}"]
    run(base, sets, name=folder.name, work_dir=str(folder), device="cpu", quiet=True)
    return folder


def predictions(folder: Path) -> np.ndarray:
    with np.load(folder / "episodes.npz") as file:
        found: np.ndarray = file["predictions"]
        return found


def test_predictions_equal_those_on_the_videos_cached_and_uncached(home: Path) -> None:
    sets = ["evaluate.episodes=500"]
    videos = finished(home / "videos", "otam_synthact_1shot", [*SMALL, *sets])
    cached = finished(home / "cached", "otam_synthact_1shot", [*given(home), *sets])
    uncached = finished(
        home / "uncached", "otam_synthact_1shot", [*given(home), *sets, "evaluate.cache=False"]
    )
    assert predictions(videos).shape == (500, 5)
    assert np.array_equal(predictions(cached), predictions(videos))
    assert np.array_equal(predictions(uncached), predictions(videos))


def test_a_matcher_that_was_trained_on_features_works_on_the_videos(home: Path) -> None:
    sets = ["evaluate.episodes=60"]
    trained = finished(home / "trx", "trx_synthact_1shot", [*given(home), *sets], episodes=4)
    result = json.loads((trained / "result.json").read_text())
    assert result["training"]["validations"]
    assert [
        slot["tuned"] > 0 for slot in result["parameters"]["slots"] if slot["slot"] == "matcher"
    ]
    videos = home / "trx_videos"
    more = [*SMALL, *QUICK, *sets, "adapter=None"]
    run_checkpoint(
        "trx_synthact_1shot", str(trained), more, work_dir=str(videos), device="cpu", quiet=True
    )
    assert np.array_equal(predictions(trained), predictions(videos))


def test_a_branch_with_a_neck_and_a_fitted_matcher_run_on_features(home: Path) -> None:
    sets = ["evaluate.episodes=10", "evaluate.shots=[1]"]
    neck = ["neck={'type': 'TemporalTransformer', 'heads': 2}", "matcher.type=Ridge"]
    for number, cache in enumerate((True, False)):
        more = [*given(home), *sets, *neck, f"evaluate.cache={cache}"]
        finished(home / f"ridge{number}", "protonet_synthact_1shot", more, episodes=2)
    assert np.array_equal(predictions(home / "ridge0"), predictions(home / "ridge1"))


def test_a_result_says_that_features_were_given(home: Path) -> None:
    sets = ["evaluate.episodes=40"]
    videos = finished(home / "of_videos", "protonet_synthact_1shot", [*SMALL, *sets])
    folder = finished(home / "of_features", "protonet_synthact_1shot", [*given(home), *sets])
    before, now = (json.loads((f / "result.json").read_text()) for f in (videos, folder))
    assert now["gflops"]["support_video"] == now["gflops"]["query_video"] == 0
    assert before["conditions"].pop("features") is None
    found = now["conditions"].pop("features")
    assert (found["steps"], found["dim"]) == (8, 128)
    assert found["origin"]["backbone"] == "fsarbench-tiny (synthact)"
    assert now["conditions"].pop("route")["why"] == "features were given"
    del before["conditions"]["route"]
    # Data set, fingerprint, splits and clips are those of the videos.
    assert now["conditions"] == before["conditions"]
    comparison = comparison_of([videos, folder], baseline="of_videos")
    (section,) = comparison.sections
    assert [line.row.backbone for line in section.lines] == [
        "fsarbench-tiny (synthact)",
        "fsarbench-tiny (synthact), features given",
    ]
    assert section.lines[1].verdict is not None
    assert any("features given: GFLOPs" in line for line in remarks(comparison))
    out = home / "episode.html"
    episode([str(folder)], [0], str(out), reload_run, ProgressBars(quiet=True))
    assert "features given, 8 steps" in out.read_text()


def test_a_profile_has_no_operations_of_a_backbone(home: Path) -> None:
    sets = [*given(home), *QUICK, "adapter=None"]
    found = profile(
        ["trx_synthact_1shot"], sets, device="cpu", timing=TimingOptions(repeats=1, warmup=0)
    )
    (record,) = found["configs"]
    assert record["operations"]["testing"]["slots"].get("backbone", 0) == 0
    assert record["operations"]["testing"]["query_video"] == 0
    assert "encode" not in record["measured"]
    assert any("features given (8 steps" in line for line in profile_remarks(found))


def test_text_features_take_the_place_of_a_text_encoder(home: Path) -> None:
    text = ["text_encoder.type=PrecomputedText", f"text_encoder.file={home / 'features/text.npz'}"]
    sets = [*given(home), "adapter=None"]
    base = "zeroshot_synthact_1shot"
    model = fsarbench.create_model(base, **keys([*sets, *text]))
    encoder = fsarbench.create_model(base, **keys(sets)).text_encoder
    names = named_data_module(str(home / "features")).splits["test"].readable
    assert model.text_encoder is not None
    assert encoder is not None
    torch.testing.assert_close(model.text_encoder(names), encoder(names))


def keys(overrides: Sequence[str]) -> dict[str, Any]:
    """Overrides as arguments of the Python API."""
    pairs = (override.split("=", 1) for override in overrides)
    return {key: parse_value(value) for key, value in pairs}


def test_python_reads_features_as_data(home: Path) -> None:
    data = fsarbench.load_data(str(home / "features"))
    episode = data.episode("test", 0)
    assert episode.support.shape == (5, 1, 8, 128)
    model = fsarbench.create_model(
        "protonet_synthact_1shot", **keys([*given(home), "adapter=None"])
    )
    result = fsarbench.evaluate(model, data, episodes=30)
    videos = fsarbench.create_model("protonet_synthact_1shot", adapter=None)
    same = fsarbench.evaluate(
        videos, fsarbench.load_data("synthact", **keys(SMALL)), episodes=30, workers=0
    )
    assert result.accuracy == same.accuracy
    with pytest.raises(UserError, match='expected a tensor "V T 3 H W"'):
        fsarbench.evaluate(videos, data, episodes=2)


class Killed(BaseException):
    """What ends the process in the middle of the work."""


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the command end when it reads the video after some others."""

    def arrange(count: int) -> None:
        read, seen = ClipDataset.__getitem__, []

        def reads(data: ClipDataset, video: int) -> torch.Tensor:
            if len(seen) == count:
                raise Killed
            seen.append(video)
            return read(data, video)

        monkeypatch.setattr(ClipDataset, "__getitem__", reads)

    return arrange


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.suffix != ".json"}


def test_a_killed_command_continues_to_the_same_bytes(
    home: Path,
    tmp_path: Path,
    killed_after: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = [*SMALL, "evaluate.batch_size=8"]
    monkeypatch.setattr("fsarbench.experiments.features.SHARD", 12)
    whole = encode(tmp_path / "whole", small, splits=["val", "test"])
    assert len(list(whole.glob("*.safetensors"))) == 2 + 3  # of 24 and 48 videos, 16 in a file
    killed_after(24 + 17)
    with pytest.raises(Killed):
        encode(tmp_path / "again", small, splits=["val", "test"])
    done = {path.name for path in (tmp_path / "again").glob("*.safetensors")}
    assert done == {"val-00000.safetensors", "val-00001.safetensors", "test-00000.safetensors"}
    with pytest.raises(UserError, match="`fsarbench features` did not finish"):
        fsarbench.load_data(str(tmp_path / "again"))
    monkeypatch.undo()
    monkeypatch.setattr("fsarbench.experiments.features.SHARD", 12)
    killed_after(32)  # it does not read again what was written
    encode(tmp_path / "again", small, splits=["val", "test"])
    assert contents(tmp_path / "again") == contents(whole)
    assert SHARD != 12


def test_a_split_is_added_and_other_conditions_are_refused(home: Path, tmp_path: Path) -> None:
    folder = encode(tmp_path / "some", SMALL, splits=["test"])
    data = fsarbench.load_data(str(folder))
    assert [len(split.videos) for split in data.splits.values()] == [0, 0, 48]
    encode(folder, SMALL, splits=["val"])
    data = fsarbench.load_data(str(folder))
    assert [len(split.videos) for split in data.splits.values()] == [0, 24, 48]
    first = (folder / "features.json").read_bytes()
    encode(folder, SMALL, splits=["test"])
    assert (folder / "features.json").read_bytes() == first
    with pytest.raises(UserError, match=r"backbone\.pretrained was .* weights was"):
        encode(folder, [*SMALL, "backbone.pretrained=None"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        encode(tmp_path / "other", SMALL)


def test_the_backbone_of_a_run_has_its_weights(home: Path, tmp_path: Path) -> None:
    sets = [*SMALL, *QUICK, "evaluate.episodes=40", "train.episodes=2", "train.val_interval=2"]
    trained = tmp_path / "trained"
    base = "lora_synthact_1shot"
    run(base, sets, work_dir=str(trained), device="cpu", quiet=True)
    folder = encode(tmp_path / "lora", config=None, run=str(trained), splits=["test"])
    info = json.loads((folder / "features.json").read_text())
    assert info["backbone"] == "fsarbench-tiny (synthact) with LoRA"
    assert info["checkpoint"]["sha256"]
    values = json.loads((trained / "result.json").read_text())
    model = fsarbench.load_checkpoint(trained)
    matcher = type(model.matcher).__name__
    prototypes = type(model.prototypes).__name__
    again = finished(
        tmp_path / "again",
        base,
        [
            *("dataset.type=FeatureFolder", f"dataset.root={folder}", "backbone.type=Precomputed"),
            f"matcher.type={matcher}",
            f"prototypes.type={prototypes}",
            "evaluate.episodes=40",
        ],
    )
    assert np.array_equal(predictions(again), predictions(trained))
    assert values["conditions"]["data_fingerprint"] == info["data_fingerprint"]


@pytest.mark.parametrize(
    ("config", "overrides", "message"),
    [
        ("taskadapter_synthact_1shot", [], "TaskAdapter attends across the videos"),
        ("mafsar_synthact_1shot", [], "uses the text features of the class"),
        (CONFIG, ["clips.sampling=random"], "Set clips.sampling='centre'"),
        (None, [], "Give a config, or --run RUN"),
    ],
)
def test_features_that_depend_on_more_than_the_video_are_refused(
    config: str | None, overrides: list[str], message: str, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        encode(tmp_path / "out", [*SMALL, *overrides], config)
    assert not (tmp_path / "out").exists()


def test_features_of_features_and_unknown_splits_are_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="consists of features"):
        encode(tmp_path / "out", [*given(home), "adapter=None"])
    with pytest.raises(UserError, match=r"--split tset.*Did you mean 'test'"):
        encode(tmp_path / "out", SMALL, splits=["tset"])
