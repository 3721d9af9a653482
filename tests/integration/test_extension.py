"""A component in a file outside the project: use by name, and checks of its slot's contract."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.last_frame import last_frame

CONFIG = """
_base_ = ["{configs}/mafsar_synthact_1shot.py"]
custom_imports = dict(imports=["my_parts"])
matcher = dict(_delete_=True, type="LastFrame", scale=5.0)
"""


def check(folder: Path, result: str = "") -> subprocess.CompletedProcess[str]:
    configs = Path(__file__).parents[2] / "configs"
    (folder / "my_parts.py").write_text(last_frame(result))
    (folder / "mine.py").write_text(CONFIG.format(configs=configs))
    command = [sys.executable, "-m", "fsarbench", "check", "mine.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_file_a_decorator_and_custom_imports(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "LastFrame" in done.stdout


def test_a_part_that_breaks_its_contract_is_named(tmp_path: Path) -> None:
    done = check(tmp_path, result="[:, :2]")
    assert done.returncode == 2
    assert "violates the interface" in done.stderr
    assert "LastFrame" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["--help"], ["list"], ["show", "OTAM"]])
def test_no_torch_where_none_is_needed(command: list[str]) -> None:
    code = (
        "import sys, fsarbench.cli.app\n"
        f"sys.argv = ['fsarbench', *{command}]\n"
        "try:\n    fsarbench.cli.app.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
