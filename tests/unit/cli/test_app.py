"""Output of the command line without building a model."""

import os
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

# Ends at the first import of a library that takes seconds to load.
UNTIL_HEAVY = """
import sys
class Stop:
    def find_spec(self, name, path, target=None):
        if name in {"torch", "open_clip", "timm", "mmengine", "matplotlib", "pandas", "scipy"}:
            sys.exit("heavy import")
sys.meta_path.insert(0, Stop())
from fsarbench.cli.app import main
main()
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
    # In a new process, because this one has imported everything.
    done = subprocess.run([sys.executable, "-c", LIGHT, *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


LINE = "otam_ssv2_1shot: loading config ...\n"


@pytest.mark.parametrize(
    ("args", "ranks", "printed"),
    [
        ([], {}, LINE),
        (["--name=mine"], {}, "mine: loading config ...\n"),
        (["--quiet"], {}, ""),
        ([], {"RANK": "0"}, LINE),
        ([], {"RANK": "1"}, ""),
        (["--launcher=slurm"], {"SLURM_PROCID": "0"}, LINE),
        (["--launcher=slurm"], {"SLURM_PROCID": "1"}, ""),
        # Without --launcher, every process of a job step is an independent run.
        ([], {"SLURM_PROCID": "1"}, LINE),
    ],
)
def test_a_run_prints_its_first_line_once_and_before_heavy_imports(
    args: list[str], ranks: dict[str, str], printed: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "SLURM_PROCID")}
    done = subprocess.run(
        [sys.executable, "-c", UNTIL_HEAVY, "run", "otam_ssv2_1shot", *args],
        env={**environment, **ranks},
        capture_output=True,
        text=True,
    )
    assert done.stderr == f"{printed}heavy import\n"


def test_missing_videos_are_reported_without_torch(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "FSARBENCH_SSV2")}
    code = UNTIL_HEAVY.replace('"mmengine", ', "")
    for args, message in (
        (["run", "mafsar_ssv2_5shot"], "neither dataset.root nor FSARBENCH_SSV2 is set"),
        (["run", "mafsar_ssv2_5shot", "--set", f"dataset.root={tmp_path}"], "no annotation table"),
        (["check", "mafsar_ssv2_5shot"], "neither dataset.root nor FSARBENCH_SSV2 is set"),
        # A fault of the config comes first, with all others.
        (["run", "mafsar_ssv2_5shot", "--set", "matcher.type=OTMA"], "heavy import"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], env=environment, capture_output=True, text=True
        )
        assert message in done.stderr, done.stderr
