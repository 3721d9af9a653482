"""`fsarbench run --cache-frames`: a store is filled once, and the results are those of decoding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fsarbench.config.loading import load_config
from fsarbench.data.clip_settings import ClipSettings
from fsarbench.data.frame_store.index import INDEX, read_index
from fsarbench.data.readers.pyav_reader import PyAVReader
from fsarbench.errors import UserError
from fsarbench.experiments import frame_cache
from fsarbench.experiments.frame_cache import exact_settings, store_folder
from fsarbench.experiments.run import run, run_checkpoint
from fsarbench.report.run_summary import DECODED, facts, frames_text
from fsarbench.results.run_result import read_result
from tests.integration.test_run import SMALL, fsarbench

CONFIG = "configs/mafsar_synthact_1shot.py"
IN_PROCESS = [*SMALL[:-2], "train.workers=0", "evaluate.workers=0", "evaluate.episodes=20"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def data_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(home / "data"))


@pytest.fixture(scope="module")
def runs(home: Path) -> dict[str, Path]:
    for name, option in {"decoded": [], "stored": ["--cache-frames"]}.items():
        done = fsarbench(home, "run", CONFIG, "--name", name, *option, sets=SMALL)
        assert done.returncode == 0, done.stderr
        assert ("frame store" in done.stderr) == (name == "stored")
        assert ("frames are read from" in done.stderr) == (name == "stored")
    return {name: home / "runs" / name for name in ("decoded", "stored")}


def store_of(home: Path) -> Path:
    (store,) = (home / "data").rglob("store-*-raw")
    return store


def test_results_are_those_of_decoding(runs: dict[str, Path]) -> None:
    decoded, stored = (read_result(runs[name]) for name in ("decoded", "stored"))
    assert decoded["accuracy"] == stored["accuracy"]
    assert decoded["training"]["validations"] == stored["training"]["validations"]
    with (
        np.load(runs["decoded"] / "episodes.npz") as a,
        np.load(runs["stored"] / "episodes.npz") as b,
    ):
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])
    assert (runs["decoded"] / "best.safetensors").read_bytes() == (
        runs["stored"] / "best.safetensors"
    ).read_bytes()


def test_the_result_says_how_frames_were_read(runs: dict[str, Path], home: Path) -> None:
    assert read_result(runs["decoded"])["conditions"]["frames"] is None
    result = read_result(runs["stored"])
    size = result["conditions"]["frames"]["size"]
    assert result["conditions"]["frames"] == {"size": size, "format": "raw", "equal": True}
    reader = load_config(str(runs["stored"] / "config.py")).values["reader"]
    assert (reader["type"], reader["root"]) == ("StoreReader", str(store_of(home)))
    assert store_of(home).name == f"store-{size}-raw"
    assert "frames" not in dict(facts(result))
    compressed = {"size": 64, "format": "jpeg", "equal": False}
    result["conditions"]["frames"] = compressed
    assert dict(facts(result))["frames"] == frames_text(compressed)
    assert "jpeg, short side at most 64 pixels" in frames_text(compressed)
    assert frames_text({**compressed, "equal": True}) == frames_text(None) == DECODED


def test_a_store_is_reused_and_completed(
    runs: dict[str, Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(home)
    before = read_index(store)
    assert len(before) == 300
    index = (store / INDEX).read_bytes()
    video = store / "frames" / f"{next(iter(before))}.npy"
    changed = video.stat().st_mtime_ns
    counted = []
    monkeypatch.setattr(PyAVReader, "count", lambda self, path: counted.append(path))
    folder = run(CONFIG, [*IN_PROCESS, "train.episodes=0"], work_dir=str(tmp_path / "a"),
                 quiet=True, cache_frames=True)  # fmt: skip
    assert not counted
    assert read_result(folder)["conditions"]["frames"]["equal"]
    monkeypatch.undo()
    monkeypatch.setenv("FSARBENCH_DATA", str(home / "data"))
    # A run that is interrupted while it stores frames goes on with the others.
    (store / "frames" / f"{list(before)[-1]}.npy").unlink()
    run_checkpoint(CONFIG, str(runs["decoded"]), IN_PROCESS, work_dir=str(tmp_path / "b"),
                   quiet=True, cache_frames=True)  # fmt: skip
    assert read_index(store) == before
    assert (store / INDEX).read_bytes() == index
    assert video.stat().st_mtime_ns == changed


def test_resuming_with_the_option(runs: dict[str, Path], home: Path) -> None:
    options = ("--work-dir", str(runs["stored"]), "--resume", "--cache-frames")
    done = fsarbench(home, "run", CONFIG, "--name", "stored", *options, sets=SMALL)
    assert done.returncode == 0, done.stderr
    assert "finished already" in done.stdout


def test_what_cannot_be_stored_is_an_error(
    runs: dict[str, Path], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"reader.root={store_of(home)}"
    with pytest.raises(UserError, match="frame store already"):
        run(CONFIG, [*IN_PROCESS, "reader.type=StoreReader", store], work_dir=str(tmp_path / "a"),
            cache_frames=True)  # fmt: skip
    broken = ["dataset.train_videos=2", *IN_PROCESS[1:]]
    monkeypatch.setattr(frame_cache, "is_filled", lambda writer, paths: False)
    monkeypatch.setattr(frame_cache, "fill_store", lambda *_: {"a.mp4": "a.mp4 is damaged."})
    with pytest.raises(
        UserError, match=r"1 of 2\d\d videos cannot be stored \('a.mp4'\). a.mp4 is"
    ):
        run(CONFIG, broken, work_dir=str(tmp_path / "b"), cache_frames=True)
    monkeypatch.setattr(frame_cache.distributed, "count", lambda: 2)
    with pytest.raises(UserError, match=r"several processes .* data cache CONFIG --size 73 --out"):
        frame_cache._fill(*_arguments(runs))


def _arguments(runs: dict[str, Path]) -> tuple[Any, ...]:
    from fsarbench.data.frame_store.index import StoreSettings
    from fsarbench.data.frame_store.writer import StoreWriter
    from fsarbench.runtime.progress import ProgressBars

    folder = runs["stored"]
    writer = StoreWriter(PyAVReader(), folder, folder / "store", StoreSettings(73, "raw"))
    return writer, [], ProgressBars(quiet=True)


def test_settings_keep_the_clips_exact() -> None:
    clips = ClipSettings().resolved(224)
    assert exact_settings(clips).size == 256
    for inexact in ({"jitter": 0.2}, {"scale": (0.5, 1.0)}):
        assert exact_settings(ClipSettings(**inexact).resolved(224)).size is None


def test_a_read_only_folder_of_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = exact_settings(ClipSettings().resolved(224))
    assert store_folder(tmp_path, settings) == tmp_path / "store-256-raw"
    monkeypatch.setattr(frame_cache.os, "access", lambda path, mode: False)
    monkeypatch.setenv("FSARBENCH_DATA", "/data")
    elsewhere = store_folder(tmp_path, settings)
    assert elsewhere.is_relative_to("/data/frames")
    assert elsewhere.name == "store-256-raw"
    (tmp_path / "store-256-raw").mkdir()
    assert store_folder(tmp_path, settings) == tmp_path / "store-256-raw"
