from pathlib import Path

import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.evaluation.disk_cache import DiskCache, ShardWriter

FACTS = {"weights": "abc", "clips": "8"}


def test_rows_come_back_under_their_names(tmp_path: Path) -> None:
    disk_cache = DiskCache(tmp_path, FACTS)
    rows = torch.randn(5, 2, 3)
    disk_cache.write(["a", "b"], rows[:2])
    disk_cache.write(["c", "d", "e"], rows[2:])
    found = DiskCache(tmp_path, dict(reversed(FACTS.items()))).read(["e", "x", "b"])
    assert set(found) == {0, 2}
    assert torch.equal(found[0], rows[4])
    assert torch.equal(found[2], rows[1])


def test_other_facts_know_nothing_of_them(tmp_path: Path) -> None:
    DiskCache(tmp_path, FACTS).write(["a"], torch.zeros(1, 2))
    assert DiskCache(tmp_path, {**FACTS, "clips": "16"}).read(["a"]) == {}
    assert DiskCache(tmp_path, {"weights": "ab", "clips": "c8"}).read(["a"]) == {}


def test_a_damaged_file_is_skipped(tmp_path: Path) -> None:
    disk_cache = DiskCache(tmp_path, FACTS)
    disk_cache.write(["a"], torch.zeros(1, 2))
    disk_cache.write(["b"], torch.ones(1, 2))
    damaged = next(iter(sorted(disk_cache.folder.glob("*.safetensors"))))
    damaged.write_bytes(damaged.read_bytes()[:20])
    with pytest.warns(UserWarning, match="is skipped"):
        found = disk_cache.read(["a", "b"])
    assert len(found) == 1


def test_half_a_file_is_never_read(tmp_path: Path) -> None:
    disk_cache = DiskCache(tmp_path, FACTS)
    disk_cache.write(["a"], torch.zeros(1, 2))
    whole = next(disk_cache.folder.glob("*.safetensors"))
    whole.rename(whole.with_name(f".{whole.name}.1.part"))
    assert disk_cache.read(["a"]) == {}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written to .*evaluate\.features"):
        DiskCache(tmp_path / "file", FACTS).write(["a"], torch.zeros(1))


def test_a_shard_writer_writes_a_file_at_a_time(tmp_path: Path) -> None:
    disk_cache = DiskCache(tmp_path, FACTS)
    writer = ShardWriter(disk_cache, 4)
    for number in range(11):
        writer.add([str(number)], [torch.full((2,), float(number))])
    assert len(list(disk_cache.folder.glob("*.safetensors"))) == 2
    writer.close()
    found = disk_cache.read([str(number) for number in range(11)])
    assert [float(found[number][0]) for number in range(11)] == list(range(11))
    ShardWriter(None, 1).add(["a"], [torch.zeros(1)])
