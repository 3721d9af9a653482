"""Results folders: good submissions are verified, forged and damaged ones are refused."""
# ruff: noqa: E501 (one line per forgery and its message)

import hashlib
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fsarbench
from fsarbench.cli.app import main
from fsarbench.errors import UserError
from fsarbench.experiments.run import run as run_job
from fsarbench.results.exchange.layout import FILES
from fsarbench.results.predictions import (
    Draw,
    Predictions,
    compact_predictions,
    drawn_again,
    read_predictions,
    write_predictions,
)
from tests.helpers.submissions import other_run

SMALL = [
    "dataset.train_videos=2",
    "dataset.val_videos=2",
    "dataset.test_videos=4",
    "evaluate.episodes=200",
    "evaluate.workers=0",
]
METHOD = "frozen_synthact_1shot"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a real run."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSARBENCH_DATA", str(home / "data"))
        return run_job(METHOD, SMALL, work_dir=str(home / "run"), quiet=True)


@pytest.fixture(scope="module")
def filed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results folder with the real run and one of another lab."""
    folder = tmp_path_factory.mktemp("filed")
    fsarbench.submit([run], folder, submitter="Lab A")
    other = other_run(run, tmp_path_factory.mktemp("runs") / "other", 1, "other method")
    fsarbench.submit([other], folder, submitter="Lab B")
    assert fsarbench.verify(folder).valid
    return folder


@pytest.fixture
def copy(filed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filed, tmp_path / "results"))


def submission(folder: Path, method: str = METHOD) -> Path:
    """Folder of the only submission of a method."""
    (found,) = folder.glob(f"SynthAct/5way_1shot/{method}/*")
    return found


def change(folder: Path, key: str, value: Any, method: str = METHOD) -> None:
    """Change a value of `result.json`; a dot separates nested keys."""
    file = submission(folder, method) / "result.json"
    result = json.loads(file.read_text())
    *parents, last = key.split(".")
    section = result
    for name in parents:
        section = section[name] if isinstance(section, dict) else section[int(name)]
    section[last] = value
    file.write_text(json.dumps(result))


def changed_accuracy(folder: Path) -> None:
    change(folder, "accuracy.mean", 0.99)


def changed_interval_in_settings(folder: Path) -> None:
    change(folder, "settings.0.intervals.videos.half_width", 0.001)


def swapped_predictions(folder: Path) -> None:
    other = submission(folder, "other_method") / "episodes.npz"
    shutil.copy(other, submission(folder) / "episodes.npz")


def other_episodes(folder: Path) -> None:
    place = submission(folder)
    (place / "episodes.npz").write_bytes(compact_predictions(predictions(place), Draw(1, 5, 1, 1)))


def other_episodes_with_a_true_hash(folder: Path) -> None:
    place = submission(folder)
    other = on_other_episodes(predictions(place))
    (place / "episodes.npz").write_bytes(compact_predictions(other, Draw(1, 5, 1, 1)))


def other_list_hash(folder: Path) -> None:
    change(folder, "conditions.data_fingerprint", "f" * 64)


def other_list_of_test_videos(folder: Path) -> None:
    place = submission(folder)
    found = predictions(place)
    other = replace(found, video_ids=found.video_ids[::-1])
    (place / "episodes.npz").write_bytes(compact_predictions(other, Draw(0, 5, 1, 1)))


def not_a_number(folder: Path) -> None:
    change(folder, "accuracy.mean", float("nan"))


def huge_file(folder: Path) -> None:
    (submission(folder) / "card.md").write_bytes(b" " * (FILES["card.md"] + 1))


def huge_arrays(folder: Path) -> None:
    """A file of 300 kB that would fill 300 MB."""
    content = io.BytesIO()
    np.savez_compressed(content, predictions=np.zeros((60_000_000, 5), dtype=np.uint8))
    (submission(folder) / "episodes.npz").write_bytes(content.getvalue())


def header_of_a_huge_array(folder: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        header = io.BytesIO()
        shape = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 5)}
        np.lib.format.write_array_header_1_0(header, shape)
        archive.writestr("predictions.npy", header.getvalue())
    (submission(folder) / "episodes.npz").write_bytes(content.getvalue())


def pickled_array(folder: Path) -> None:
    np.savez(submission(folder) / "episodes.npz", predictions=np.array([{}], dtype=object))


def path_escape(folder: Path) -> None:
    change(folder, "settings.0.episodes_file", "../../../elsewhere/episodes.npz")


def link(folder: Path) -> None:
    (submission(folder) / "card.md").unlink()
    os.symlink("/etc/hosts", submission(folder) / "card.md")


def code_in_the_config(folder: Path) -> None:
    change(folder, "config", "import os\nos.system('touch run_by_fsarbench')\n")


def another_config(folder: Path) -> None:
    file = submission(folder) / "config.json"
    file.write_text(file.read_text().replace("MeanCosine", "OTAM"))


def code_in_the_folder(folder: Path) -> None:
    (submission(folder) / "conftest.py").write_text("raise SystemExit")


def newer_schema(folder: Path) -> None:
    change(folder, "schema", 2)


def duplicate(folder: Path) -> None:
    shutil.copytree(submission(folder), folder / "SynthAct/5way_1shot/mine/123456789abc")


def wrong_shot(folder: Path) -> None:
    change(folder, "conditions.shot", 5)
    change(folder, "settings.0.shot", 5)


def wrong_selection(folder: Path) -> None:
    change(folder, "conditions.selection", "val")


def changed_card(folder: Path) -> None:
    file = submission(folder) / "card.md"
    file.write_text(file.read_text().replace("# frozen", "# our frozen"))


def missing_file(folder: Path) -> None:
    (submission(folder) / "config.json").unlink()


def other_name(folder: Path) -> None:
    change(folder, "name", "../../evil")


def key_twice(folder: Path) -> None:
    file = submission(folder) / "result.json"
    file.write_text(file.read_text().replace("{", '{"name": "first",', 1))


def no_list(folder: Path) -> None:
    (folder / "SynthAct" / "list.json").unlink()


FORGERIES: list[tuple[Callable[[Path], None], str]] = [
    (changed_accuracy, r"result\.json: accuracy\.mean: expected 0\.\d+, from the predictions, fo.* 0\.99"),
    (changed_interval_in_settings, r"settings\.intervals\.videos\.half_width: expected 0\.\d+, .* 0\.001"),
    (swapped_predictions, r"result\.json: accuracy\.mean: expected 0\.\d+, from the predictions"),
    (other_episodes, r"episodes\.npz: episodes_sha256: expected \w+, the episodes of seed 1, found \w+"),
    (other_episodes_with_a_true_hash, r"classes: expected the episodes that seed 0 draws .* at episode 0"),
    (other_list_hash, r"data_fingerprint: expected \w+, the list of SynthAct/list\.json, found ffff"),
    (other_list_of_test_videos, r"test_list_sha256: expected \w+, as in episodes\.npz, found \w+"),
    (not_a_number, r"result\.json: expected finite numbers of at most 64 bits, found NaN"),
    (huge_file, r"card\.md: expected at most 1,048,576 bytes, found 1,048,577"),
    (huge_arrays, r"episodes\.npz: expected at most 134,217,728 bytes of arrays, found 300,000,\d+"),
    (header_of_a_huge_array, r"predictions\.npy: expected 0 bytes of values, which it has, found a h"),
    (pickled_array, r"predictions\.npy: expected integers or text, found values of the type object"),
    (path_escape, r"settings\.episodes_file: expected episodes\.npz, found \.\./\.\./\.\./elsewhere"),
    (link, r"card\.md: expected a plain file, found a link or a special file"),
    (code_in_the_config, r"result\.json: config: expected statements `key = literal` only, found .*:1"),
    (another_config, r"config\.json: matcher: expected the config of result\.json: .*MeanC.* found .*OTAM"),
    (code_in_the_folder, r"conftest\.py: expected files of DATA SET/SETTING/METHOD/HASH/.*another name"),
    (newer_schema, r"result\.json: schema: expected 1 \(update fsarbench\), found 2"),
    (duplicate, r"mine/123456789abc: expected a result that is not there yet, found .* in SynthAct/"),
    (wrong_shot, r"expected 5-way 5-shot with 1 queries per class, .* found 5-way 1-shot"),
    (wrong_selection, r"conditions\.selection: expected none, because training was skipped, found val"),
    (changed_card, r"card\.md: expected the text that result\.json gives, found another text"),
    (missing_file, r"expected the files result\.json, .*config\.json, card\.md, found"),
    (other_name, r"expected the folder SynthAct/5way_1shot/evil/\w+, found another folder"),
    (key_twice, r"result\.json: name: expected the key once, found it twice"),
    (no_list, r"SynthAct/list\.json: expected the hashes of the list, found no readable file"),
]  # fmt: skip


@pytest.mark.parametrize(("forge", "message"), FORGERIES, ids=lambda x: getattr(x, "__name__", ""))
def test_a_forged_submission_is_found_with_the_reason(
    forge: Callable[[Path], None], message: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    forge(copy)
    verification = fsarbench.verify(copy)
    assert not verification.valid
    assert any(re.search(message, str(fault)) for fault in verification.faults), str(verification)
    assert not Path("run_by_fsarbench").exists()
    monkeypatch.setattr("sys.argv", ["fsarbench", "verify", str(copy)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 1


def predictions(folder: Path) -> Predictions:
    found = read_predictions(folder)
    assert found is not None
    return found


def on_other_episodes(found: Predictions) -> Predictions:
    """The same predictions, said to be on the episodes of seed 1."""
    again = drawn_again(found, Draw(1, 5, 1, 1))
    return replace(found, classes=again.classes, support=again.support, query=again.query)


def files(folder: Path) -> dict[str, bytes]:
    """Content of all files below a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_all_faults_of_all_submissions_are_listed_at_once(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(copy, "conditions.selection", "val")
    change(copy, "accuracy.mean", 0.5, "other_method")
    monkeypatch.setattr("sys.argv", ["fsarbench", "verify", str(copy)])
    with pytest.raises(SystemExit):
        main()
    *faults, summary = capsys.readouterr().out.splitlines()
    assert summary == f"{copy}: 2 submissions, {len(faults)} faults"
    assert any("conditions.selection" in line for line in faults)
    assert any("other_method" in line and "accuracy.mean" in line for line in faults)


def test_a_run_on_other_episodes_is_not_submitted(run: Path, tmp_path: Path) -> None:
    forged = other_run(run, tmp_path / "forged", 3)
    write_predictions(forged, on_other_episodes(predictions(forged)))
    with pytest.raises(UserError, match=r"nothing was written .*\n.*that seed 0 draws"):
        fsarbench.submit([run, forged], tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_result_is_filed_once(filed: Path, run: Path, copy: Path) -> None:
    before = files(copy)
    existing = submission(copy)
    for submitter in ("Lab A", "Lab C", None):
        with pytest.raises(UserError, match="the same predictions.*" + existing.name):
            fsarbench.submit([run], copy, submitter=submitter)
    assert files(copy) == before


def test_another_list_is_another_data_set(run: Path, copy: Path, tmp_path: Path) -> None:
    other = other_run(run, tmp_path / "other", 4)
    result = json.loads((other / "result.json").read_text())
    result["conditions"]["data_fingerprint"] = "0" * 64
    (other / "result.json").write_text(json.dumps(result))
    with pytest.raises(UserError, match=r"data_fingerprint: expected \w+, the list of SynthAct/"):
        fsarbench.submit([other], copy)


def test_one_name_of_one_lab_is_one_method(run: Path, copy: Path, tmp_path: Path) -> None:
    other = other_run(run, tmp_path / "other", 5)
    text = (other / "result.json").read_text()
    (other / "result.json").write_text(text.replace("MeanCosine", "OTAM"))
    with pytest.raises(UserError, match=r"differ in more than their seed: matcher\.type"):
        fsarbench.submit([other], copy, submitter="Lab A")
    with pytest.raises(UserError, match="with seed 1 occurs more than once"):
        fsarbench.submit(
            [other_run(run, tmp_path / "again", 1, "other method", 0.3)], copy, submitter="Lab B"
        )
    (folder,) = fsarbench.submit([other], copy, submitter="Lab C")
    assert folder.is_dir()
    assert fsarbench.verify(copy).valid


def test_the_table_of_all_labs_is_paired(run: Path, copy: Path, tmp_path: Path) -> None:
    seeds = [other_run(run, tmp_path / f"{seed}", seed, METHOD, 0.5) for seed in (7, 8)]
    fsarbench.submit(seeds, copy, submitter="Lab B")
    table = fsarbench.compare(copy)
    rows = table.to_pandas().set_index("method").sort_index()
    assert list(rows.index) == [f"{METHOD} (Lab A)", f"{METHOD} (Lab B)", "other method"]
    assert rows["submitter"].tolist() == ["Lab A", "Lab B", "Lab B"]
    assert sorted(str(rows.loc[f"{METHOD} (Lab B)", "seeds"]).split()) == ["7", "8"]
    # The episodes are the same, so the difference is tested over pairs.
    assert 0 <= rows.loc[f"{METHOD} (Lab A)", "beside_best.p_corrected"] <= 1
    assert "| method | submitter |" in table.to_markdown()
    assert len(fsarbench.load_runs(copy / "SynthAct")) == 4
    assert "submitter" not in fsarbench.compare([run]).to_markdown()


def test_the_report_reads_a_results_folder(
    copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    command = ["fsarbench", "report", str(copy), "-o", str(page), "--episodes", "0", "--quiet"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    assert all(text in page.read_text() for text in ("Lab A", "Lab B", "submitter"))


def test_the_model_of_a_filed_result_is_built_from_its_result(filed: Path) -> None:
    model = fsarbench.load_checkpoint(submission(filed))
    assert type(model.matcher).__name__ == "MeanCosine"


def test_every_test_setting_is_filed(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSARBENCH_DATA", str(run.parent / "data"))
    both = run_job(
        METHOD, [*SMALL, "evaluate.shots=[3]"], work_dir=str(tmp_path / "run"), quiet=True
    )
    folders = fsarbench.submit([both], tmp_path / "results")
    assert [folder.parts[-3] for folder in folders] == ["5way_1shot", "5way_3shot"]
    assert fsarbench.verify(tmp_path / "results").valid
    for before, after in zip(fsarbench.load_runs(both), fsarbench.load_runs(*folders), strict=True):
        np.testing.assert_array_equal(before.accuracies, after.accuracies)
        assert before.predictions is not None
        assert before.predictions.same_episodes(after.predictions)


def test_results_travel_in_a_zip_file(filed: Path, tmp_path: Path) -> None:
    file = fsarbench.export([filed], tmp_path / "results.zip")
    assert fsarbench.verify(file).valid
    fsarbench.import_results(file, tmp_path / "imported")
    assert files(tmp_path / "imported") == files(filed)
    with pytest.raises(UserError, match="exists and is not replaced"):
        fsarbench.export([filed], file)
    with pytest.raises(UserError, match="a result that is not there yet"):
        fsarbench.import_results(file, tmp_path / "imported")


def test_weights_travel_if_asked_and_are_the_tested_ones(run: Path, tmp_path: Path) -> None:
    trained = other_run(run, tmp_path / "run", 9)
    (trained / "best.safetensors").write_bytes(b"weights")
    result = json.loads((trained / "result.json").read_text())
    digest = "9a129038c2c2d4a1fd6b54d8b5bcf76b2e0c7d1e"  # of other weights
    result["checkpoint"] = {"file": "/home/me/best.safetensors", "sha256": digest}
    (trained / "result.json").write_text(json.dumps(result))
    plain = fsarbench.export([trained], tmp_path / "plain.zip")
    assert not any("safetensors" in name for name in zipfile.ZipFile(plain).namelist())
    with pytest.raises(UserError, match=r"best\.safetensors: expected SHA-256 9a12.*found SHA-256"):
        fsarbench.export([trained], tmp_path / "weights.zip", weights=True)
    result["checkpoint"]["sha256"] = hashlib.sha256(b"weights").hexdigest()
    (trained / "result.json").write_text(json.dumps(result))
    file = fsarbench.export([trained], tmp_path / "weights.zip", weights=True)
    (folder,) = fsarbench.import_results(file, tmp_path / "imported")
    assert (folder / "best.safetensors").read_bytes() == b"weights"
    assert json.loads((folder / "result.json").read_text())["checkpoint"]["file"] == (
        "best.safetensors"
    )


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def damaged_inside(file: Path) -> None:
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        entry = next(e for e in archive.infolist() if e.filename.endswith("episodes.npz"))
    content[entry.header_offset + entry.compress_size // 2] ^= 255
    file.write_bytes(bytes(content))


def escaping(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../../evil.txt", "text")


def absolute(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("/tmp/evil.txt", "text")


def linking(file: Path) -> None:
    entry = zipfile.ZipInfo("SynthAct/5way_1shot/m/123/card.md")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, "/etc/hosts")


def bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SynthAct/5way_1shot/m/123/card.md", b" " * 2**26)


def compressed_weights(file: Path) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SynthAct/5way_1shot/m/123/best.safetensors", b" " * 2**20)


def a_program(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("SynthAct/5way_1shot/m/123/setup.py", "raise SystemExit")


ZIPS: list[tuple[Callable[[Path], None], str]] = [
    (truncated, "expected a complete zip file, found a damaged one"),
    (damaged_inside, "expected a complete zip file, found a damaged one: Bad CRC-32"),
    (escaping, r"\.\./\.\./evil\.txt: expected a path inside of the results folder"),
    (absolute, r"/tmp/evil\.txt: expected a path inside of the results folder"),
    (linking, "card.md: expected a plain file, found a link"),
    (bomb, "card.md: expected at most 1,048,576 bytes, found 67,108,864"),
    (compressed_weights, "expected weights without compression, found compressed ones"),
    (a_program, "setup.py: expected files of DATA SET/SETTING/METHOD/HASH/"),
]


@pytest.mark.parametrize(("forge", "message"), ZIPS, ids=lambda x: getattr(x, "__name__", ""))
def test_a_forged_zip_file_is_refused_as_a_whole(
    forge: Callable[[Path], None], message: str, filed: Path, tmp_path: Path
) -> None:
    file = fsarbench.export([filed], tmp_path / "in" / "results.zip")
    forge(file)
    with pytest.raises(UserError, match=message):
        fsarbench.import_results(file, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_many_good_submissions_are_verified(run: Path, tmp_path: Path) -> None:
    runs = [
        other_run(run, tmp_path / f"run_{number}", number, f"method {number % 10}", 0.4)
        for number in range(1, 41)
    ]
    fsarbench.submit(runs, tmp_path / "results")
    verification = fsarbench.verify(tmp_path / "results")
    assert verification.valid
    assert str(verification).endswith("40 submissions, all verified")
    assert len(verification.runs) == 40


def test_files_that_are_no_results_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results folder and no zip file"):
        fsarbench.verify(tmp_path / "missing")
    with pytest.raises(UserError, match="There is no file"):
        fsarbench.import_results(tmp_path / "missing.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(UserError, match="expected results of fsarbench, found none"):
        fsarbench.import_results(tmp_path / "empty.zip")


def test_a_newer_result_asks_for_an_update(copy: Path) -> None:
    change(copy, "schema", 2)
    with pytest.raises(UserError, match="update fsarbench"):
        fsarbench.load_runs(submission(copy))
