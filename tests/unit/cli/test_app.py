"""What the command line prints without building anything."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fsarbench import __version__
from fsarbench.cli.app import app
from fsarbench.config.loading import load_config

LIGHT = """
import sys
from typer.testing import CliRunner
from fsarbench.cli.app import app
done = CliRunner().invoke(app, sys.argv[1:])
assert done.exit_code == 0, done.output
assert done.output.strip()
heavy = {"torch", "open_clip", "timm", "mmengine", "matplotlib", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    assert done.output == f"fsarbench {__version__}\n"


def test_config_prints_or_writes_a_file_that_loads_to_the_same_values(tmp_path: Path) -> None:
    command = ["config", "otam_ssv2_1shot", "--set", "seed=4"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    file = tmp_path / "saved.py"
    written = CliRunner().invoke(app, [*command, "-o", str(file)])
    assert (written.exit_code, written.output) == (0, "")
    assert file.read_text() == done.output
    assert load_config(str(file)).values == load_config("otam_ssv2_1shot", ["seed=4"]).values


@pytest.mark.parametrize(
    "args",
    [
        ["--version"],
        ["--help"],
        ["list"],
        ["list", "method"],
        ["list", "config"],
        ["show", "OTAM"],
        ["show", "mafsar"],
        ["published", "--dataset", "ssv2-full"],
        ["published", "--format", "latex"],
    ],
    ids=" ".join,
)
def test_catalogue_and_help_import_neither_torch_nor_a_model_library(args: list[str]) -> None:
    # In a process of its own: the tests themselves have imported everything.
    done = subprocess.run([sys.executable, "-c", LIGHT, *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
