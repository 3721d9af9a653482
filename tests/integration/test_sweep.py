"""`fsarbench sweep` with two seeds of one row, and a row that fails."""

import json
from pathlib import Path

import pytest

from tests.helpers.toy_dataset import fsarbench, make_toy

ROWS = '''"""Two rows.

What is said of them.
"""

rows = [
    dict(name="gone", config="toy.py", set=["dataset.root=nowhere"]),
    dict(name="wrong", config="toy.py", set=["matcher.warp=1"]),
    dict(name="here", config="toy.py", seeds=[0, 1]),
]
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_toy(tmp_path_factory.mktemp("toy"))
    (folder / "rows.py").write_text(ROWS)
    return folder


def test_a_failing_row_stops_no_other_and_finished_runs_are_kept(toy: Path) -> None:
    command = ("sweep", "rows.py", "--work-dir", "all", "-o", "table.md")
    done = fsarbench(toy, *command)
    assert done.returncode == 1, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("wrong cannot be run and is left out:")
    assert "3 runs in all" in done.stdout
    assert "[1/3] gone: failed after" in done.stdout
    assert "nowhere" in (toy / "all" / "gone" / "log.txt").read_text()
    table = (toy / "table.md").read_text()
    assert table.startswith("# Two rows\n\nWhat is said of them.\n")
    for part in ("    fsarbench sweep rows.py --work-dir all -o table.md", "| here |", "± seeds"):
        assert part in table
    left = table.partition("## Not in the table")[2]
    assert "- gone: " in left
    assert "- wrong: " in left

    results = sorted(toy.glob("all/here/seed_*/result.json"))
    assert [json.loads(path.read_text())["conditions"]["seed"] for path in results] == [0, 1]
    before = [path.stat().st_mtime_ns for path in results]
    (toy / "rows.py").write_text('rows = [dict(name="here", config="toy.py", seeds=[0, 1])]')
    again = fsarbench(toy, "sweep", "rows.py", "--work-dir", "all", "--baseline", "here")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(", finished earlier") == 2
    assert [path.stat().st_mtime_ns for path in results] == before
