"""The lists that circulate, with files faked by name; they are third-party data and not carried."""

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
from fsarbench.data.importing.known_lists import FIELDS, KNOWN, field
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
    reason="the circulating lists are not here (FSARBENCH_SPLITS points to their folder)",
)
ORDER = ("train", "val", "test")
NAMES = [known.name for known in FIELDS]


def lists(name: str, family: int):
    return read_lists(SPLITS / FOLDERS[name][family], field(name).timed)


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_the_field(name: str, tmp_path: Path) -> None:
    # In processes of their own, as users run it: the checks of shapes and types in this one would
    # make minutes of 72,000 lines.
    suffix = ".webm" if "ssv2" in name else ".avi"
    listed = [SPLITS / folder for folder in FOLDERS[name]]
    ids = dict.fromkeys(id_ for folder in listed for id_ in plain_ids(folder))
    for id_ in list(ids)[1:]:
        (tmp_path / f"{id_}{suffix}").touch()
    tables = [imported(name, folder, tmp_path) for folder in listed]
    for output, table in tables:
        counts = [f"{count:,}" for count in field(name).videos or ()]
        assert f"{'/'.join(counts)}; 1 video missing" in output
        assert output.startswith(field(name).title)
        assert [len({row["class"] for row in table if row["split"] == s}) for s in ORDER] == list(
            field(name).classes or ()
        )
        assert len(table) == sum(field(name).videos or ()) - 1
    ours, other = ([(row["split"], row["id"]) for row in table] for _, table in tables)
    assert (ours == other) == (name != "kinetics100")


def plain_ids(folder: Path) -> list[str]:
    names = [
        line.rpartition("/")[2].strip()
        for split in ORDER
        for file in sorted(folder.glob(f"{split}*.txt"))
        for line in file.read_text().splitlines()
    ]
    return [name[:-4] if name[-4:] in (".avi", ".mp4", ".mkv") else name for name in names]


def imported(name: str, splits: Path, videos: Path) -> tuple[str, list[dict[str, str]]]:
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
def test_each_list_is_known_by_its_name(name: str) -> None:
    timed = field(name).timed
    ours, other = (list_hash(lists(name, family), timed) for family in (0, 1))
    assert (ours == other) == (name != "kinetics100")
    assert {KNOWN[ours], KNOWN[other]} == set(field(name).lists)


def test_kinetics_differs_in_as_many_videos_as_are_known() -> None:
    ours, other = (
        {split: {v.identity(True) for v in lists("kinetics100", f).videos if v.split == split}
         for split in ("train", "val", "test")}
        for f in (0, 1)
    )  # fmt: skip
    assert [len(ours[split] - other[split]) for split in ours] == [179, 41, 57]


@pytest.mark.parametrize("name", ["kinetics100", "hmdb51", "ucf101"])
def test_class_names_are_alike(name: str) -> None:
    ours, other = (
        {n.readable for n in class_names(lists(name, family), {}).values()} for family in (0, 1)
    )
    assert ours == other
    assert "" not in ours


@pytest.mark.parametrize("name", ["ssv2", "ssv2small"])
def test_the_label_file_names_all_classes_of_both_families(name: str) -> None:
    clip = lists(name, 1)
    beside = json.loads((SPLITS / FOLDERS[name][1] / "class_names.json").read_text())
    templates = {
        video.id: beside[video.split][int(video.group.removeprefix(video.split))]
        if video.split in beside
        else f"Template of [{video.group}]"
        for video in clip.videos
    }
    if name == "ssv2":  # no list names the validation classes
        assert sum(not n.readable for n in class_names(clip, {}).values()) == 12
        named = class_names(lists(name, 0), templates)
    else:
        del beside
        named = class_names(lists(name, 0), {k: v for k, v in templates.items() if "[val" not in v})
    ours = class_names(clip, templates)
    assert "" not in {n.readable for n in named.values()} | {n.readable for n in ours.values()}
    trained = [n.readable for g, n in ours.items() if g.startswith("train")]
    assert trained == [n.readable for _, n in zip(trained, named.values(), strict=False)]
