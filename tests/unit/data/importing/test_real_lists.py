"""Import of the published split lists, with empty files as videos.

The lists are third-party data and not part of the repository.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench.catalogue.package_data import PACKAGE
from fsarbench.data.importing.class_names import class_names
from fsarbench.data.importing.from_lists import list_hash
from fsarbench.data.importing.known_lists import KNOWN_DATASETS, KNOWN_LISTS, known_dataset
from fsarbench.data.importing.split_lists import read_lists

SPLITS = Path(os.environ.get("FSARBENCH_SPLITS") or PACKAGE.parent.parent / "shared" / "splits")
FOLDERS = {
    "ssv2": ("trx/ssv2_OTAM", "clip-fsar/ssv2_full"),
    "ssv2small": ("trx/ssv2_CMN", "clip-fsar/ssv2_small"),
    "kinetics100": ("trx/kinetics_CMN", "clip-fsar/kinetics100"),
    "hmdb51": ("trx/hmdb_ARN", "clip-fsar/hmdb51"),
    "ucf101": ("trx/ucf_ARN", "clip-fsar/ucf101"),
}
pytestmark = pytest.mark.skipif(
    not SPLITS.is_dir(),
    reason="the published split lists are missing (FSARBENCH_SPLITS sets their folder)",
)
ORDER = ("train", "val", "test")
NAMES = [dataset.name for dataset in KNOWN_DATASETS]


def lists(name: str, family: int):
    return read_lists(SPLITS / FOLDERS[name][family], known_dataset(name).timed)


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_the_published_ones(name: str, tmp_path: Path) -> None:
    # In separate processes, because the type checks of the tests would take minutes for 72,000
    # lines.
    suffix = ".webm" if "ssv2" in name else ".avi"
    folders = [SPLITS / folder for folder in FOLDERS[name]]
    ids = dict.fromkeys(id_ for folder in folders for id_ in listed_ids(folder))
    for id_ in list(ids)[1:]:
        (tmp_path / f"{id_}{suffix}").touch()
    dataset = known_dataset(name)
    tables = [import_in_process(name, folder, tmp_path) for folder in folders]
    for output, table in tables:
        counts = [f"{count:,}" for count in dataset.videos or ()]
        assert f"{'/'.join(counts)}; 1 video missing" in output
        assert output.startswith(dataset.title)
        assert [len({row["class"] for row in table if row["split"] == s}) for s in ORDER] == list(
            dataset.classes or ()
        )
        assert len(table) == sum(dataset.videos or ()) - 1
    trx, clip_fsar = ([(row["split"], row["id"]) for row in table] for _, table in tables)
    assert (trx == clip_fsar) == (name != "kinetics100")


def listed_ids(folder: Path) -> list[str]:
    names = [
        line.rpartition("/")[2].strip()
        for split in ORDER
        for file in sorted(folder.glob(f"{split}*.txt"))
        for line in file.read_text().splitlines()
    ]
    return [name[:-4] if name[-4:] in (".avi", ".mp4", ".mkv") else name for name in names]


def import_in_process(name: str, splits: Path, videos: Path) -> tuple[str, list[dict[str, str]]]:
    command = [sys.executable, "-m", "fsarbench", "data", "import", name]
    done = subprocess.run(
        [*command, "--splits", str(splits), "--videos", str(videos)],
        capture_output=True,
        text=True,
        check=True,
    )
    with (videos / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return done.stdout, list(csv.DictReader(file))


@pytest.mark.parametrize("name", NAMES)
def test_each_list_is_recognised(name: str) -> None:
    dataset = known_dataset(name)
    trx, clip_fsar = (list_hash(lists(name, family), dataset.timed) for family in (0, 1))
    assert (trx == clip_fsar) == (name != "kinetics100")
    assert {KNOWN_LISTS[trx], KNOWN_LISTS[clip_fsar]} == set(dataset.lists)


def test_number_of_videos_in_which_the_kinetics_lists_differ() -> None:
    trx, clip_fsar = (
        {split: {v.identity(True) for v in lists("kinetics100", f).videos if v.split == split}
         for split in ("train", "val", "test")}
        for f in (0, 1)
    )  # fmt: skip
    assert [len(trx[split] - clip_fsar[split]) for split in trx] == [179, 41, 57]


@pytest.mark.parametrize("name", ["kinetics100", "hmdb51", "ucf101"])
def test_class_names_of_both_lists_are_equal(name: str) -> None:
    trx, clip_fsar = (
        {n.readable for n in class_names(lists(name, family), {}).values()} for family in (0, 1)
    )
    assert trx == clip_fsar
    assert "" not in trx


@pytest.mark.parametrize("name", ["ssv2", "ssv2small"])
def test_the_label_file_names_all_classes_of_both_lists(name: str) -> None:
    clip_fsar = lists(name, 1)
    names = json.loads((SPLITS / FOLDERS[name][1] / "class_names.json").read_text())
    templates = {
        video.id: names[video.split][int(video.label.removeprefix(video.split))]
        if video.split in names
        else f"Template of [{video.label}]"
        for video in clip_fsar.videos
    }
    if name == "ssv2":  # neither list names the validation classes
        assert sum(not n.readable for n in class_names(clip_fsar, {}).values()) == 12
        trx_names = class_names(lists(name, 0), templates)
    else:
        without_val = {k: v for k, v in templates.items() if "[val" not in v}
        trx_names = class_names(lists(name, 0), without_val)
    clip_names = class_names(clip_fsar, templates)
    readable = [n.readable for n in (*trx_names.values(), *clip_names.values())]
    assert "" not in readable
    train = [n.readable for label, n in clip_names.items() if label.startswith("train")]
    assert train == [n.readable for _, n in zip(train, trx_names.values(), strict=False)]
