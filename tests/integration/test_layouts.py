"""Published folder layouts of one data set give identical accuracy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fsarbench.config.build import build_model, build_reader, build_settings
from fsarbench.config.loading import load_config
from fsarbench.data.data_module import DataModule
from fsarbench.data.datasets.synthetic import Strokes, SynthAct
from fsarbench.data.frame_store.build import CacheOptions, fill
from fsarbench.data.frame_store.index import StoreSettings
from fsarbench.data.frame_store.writer import StoreWriter
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.data.readers.store_reader import StoreReader
from fsarbench.data.video_sources import source_of_splits
from fsarbench.evaluation.episode_arrays import Evaluation
from fsarbench.evaluation.evaluate import evaluate
from fsarbench.model import FewShotModel
from fsarbench.video import Split, SplitName, VideoDataset, VideoReader
from tests.unit.data.importing.test_round_trip import imported, linked

DATASETS: dict[str, Callable[[], VideoDataset]] = {
    "strokes": lambda: Strokes(workers=1),
    "synthact": lambda: SynthAct(1, 1, 3, workers=1),
}
# Untrained, and with text, so that class names count as well.
LOADED = load_config("clipfsar_synthact_1shot", ["evaluate.episodes=100", "evaluate.workers=0"])


@pytest.fixture(scope="module")
def model() -> FewShotModel:
    torch.manual_seed(0)
    return build_model(LOADED.values)


def scored(
    model: FewShotModel, splits: dict[SplitName, Split], reader: VideoReader | None = None
) -> Evaluation:
    settings = build_settings(LOADED.values)
    data_module = DataModule(
        splits=splits,
        reader=reader or build_reader(LOADED.values),
        clips=settings.clips.resolved(model.backbone.image_size),
        episodes=settings.episodes,
        seed=settings.seed,
        device=torch.device("cpu"),
    )
    return evaluate(model, data_module, "test", settings.evaluate)


@pytest.fixture(scope="module", params=DATASETS)
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[SplitName, Split]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        return DATASETS[request.param]().splits()


@pytest.fixture(scope="module")
def expected(model: FewShotModel, original: dict[SplitName, Split]) -> Evaluation:
    return scored(model, original)


@pytest.mark.parametrize("layout", ["TRX", "CLIP-FSAR", "folder"])
def test_accuracy_and_scores_are_the_same(
    layout: str,
    model: FewShotModel,
    original: dict[SplitName, Split],
    expected: Evaluation,
    tmp_path: Path,
) -> None:
    made = linked(original, tmp_path / "videos")
    back = imported(layout, made, tmp_path / "videos", tmp_path).splits()
    found = scored(model, back)
    assert found.accuracy == expected.accuracy
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert [v.path.resolve() for v in back["test"].videos] == [
        v.path.resolve() for v in original["test"].videos
    ]


def test_a_store_gives_them_too(
    model: FewShotModel,
    original: dict[SplitName, Split],
    expected: Evaluation,
    tmp_path: Path,
) -> None:
    source = source_of_splits({"test": original["test"]})
    keeper = StoreWriter(PyAVReader(), source.root, tmp_path / "store", StoreSettings(256, "raw"))
    paths = [path for _, path in source.videos]
    assert fill(keeper, paths, CacheOptions(workers=1, say=lambda _: None)) == {}
    reader = StoreReader(str(tmp_path / "store"), str(source.root))
    found = scored(model, original, reader)
    assert found.accuracy == expected.accuracy
    np.testing.assert_array_equal(found.scores, expected.scores)
