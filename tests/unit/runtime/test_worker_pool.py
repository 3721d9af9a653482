"""Worker processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from fsarbench.runtime.worker_pool import LostTask, run_tasks


def test_results_in_any_order() -> None:
    assert sorted(run_tasks(abs, [-3, 2, -1], 2, 60.0)) == [(0, 3), (1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        # Without the guard `if __name__ == "__main__"`, as in many scripts.
        ("print('start', flush=True)\nprint(*run_tasks(abs, [-3], 1, 60.0))\n", "start (0, 3) "),
        # A function of the script needs the script, and then the guard.
        (
            "def double(x):\n    return 2 * x\n"
            "if __name__ == '__main__':\n    print(*run_tasks(double, [4], 1, 60.0))\n",
            "(0, 8) ",
        ),
    ],
)
def test_a_script_that_starts_workers(tmp_path: Path, program: str, printed: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"from fsarbench.runtime.worker_pool import run_tasks\n{program}")
    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert answer.stdout.replace("\n", " ") == printed


def test_a_crash_costs_one_task() -> None:
    results = dict(run_tasks(_fail_on_one, [0, 1, 2], 1, 60.0))
    assert results[0] == 0
    assert results[2] == 2
    assert isinstance(results[1], LostTask)


def _fail_on_one(task: int) -> int:
    if task == 1:
        sys.exit(3)
    return task
