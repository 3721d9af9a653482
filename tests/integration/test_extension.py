"""A part in a file outside the project runs by name, and is held to the contract of its slot."""

import subprocess
import sys
from pathlib import Path

import pytest

PART = '''
import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.interfaces import Matcher
from fsarbench.registry import MATCHERS


@MATCHERS.register_module()
class LastFrame(Matcher):
    """Cosine of the last frames."""

    def __init__(self, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(
        self, query: Float[Tensor, "Q T D"], prototypes: Float[Tensor, "#Q N P T D"]
    ) -> Float[Tensor, "Q N"]:
        q = query[:, None, -1]
        p = prototypes.mean(2)[:, :, -1]
        return self.scale * torch.cosine_similarity(q, p, dim=-1)RESULT
'''
CONFIG = """
_base_ = ["{configs}/mafsar_synthact_1shot.py"]
custom_imports = dict(imports=["my_parts"])
matcher = dict(_delete_=True, type="LastFrame", scale=5.0)
"""


def check(folder: Path, result: str = "") -> subprocess.CompletedProcess[str]:
    configs = Path(__file__).parents[2] / "configs"
    (folder / "my_parts.py").write_text(PART.replace("RESULT", result))
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
    assert "contract" in done.stderr
    assert "LastFrame" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["--help"], ["list"], ["show", "OTAM"]])
def test_no_torch_where_none_is_needed(command: list[str]) -> None:
    code = (
        "import sys, fsarbench.cli\n"
        f"sys.argv = ['fsarbench', *{command}]\n"
        "try:\n    fsarbench.cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
