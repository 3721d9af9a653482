"""`docs/first-run.ipynb` runs from top to bottom, and is stored without outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "first-run.ipynb"
# In a process of its own: warnings of the notebook libraries are not ours.
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def code_cells(notebook: Path) -> list[dict]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_the_notebook_is_stored_without_outputs() -> None:
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code_cells(NOTEBOOK))


def test_the_notebook_runs(tmp_path: Path) -> None:
    for module in ("nbclient", "ipykernel"):
        pytest.importorskip(module)
    executed = tmp_path / "executed.ipynb"
    root = str(NOTEBOOK.parents[1])
    environment = {
        **os.environ,
        "FSARBENCH_DATA": str(tmp_path / "data"),
        "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    command = [sys.executable, "-c", EXECUTE, str(NOTEBOOK), str(executed)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    *_, last = code_cells(executed)
    (output,) = last["outputs"]
    table = "".join(output["data"]["text/markdown"])
    assert "otam" in table
    assert "average" in table
