"""Trainable parameters that `fsarbench check` prints for ViT-B/16, with their formulas.

Width C = 768, 12 blocks, CLIP's feature width 512, 14 x 14 patches of 16 x 16 pixels.
"""

import pytest
from typer.testing import CliRunner

from fsarbench.cli.app import app
from tests.helpers.combinations import names

C, BLOCKS = 768, 12
NORM = 2 * C
BLOCK = 2 * NORM + (3 * C * C + 3 * C) + (C * C + C) + (4 * C * C + 4 * C) + (4 * C * C + C)
EMBED = 3 * 16 * 16 * C + C + (14 * 14 + 1) * C + NORM
POOL = NORM + C * 512

COUNTS = {
    "Frozen": 0,
    "FullFineTuning": EMBED + BLOCKS * BLOCK + POOL,
    "PartialFineTuning": BLOCK + POOL,
    "NormTuning": (2 * BLOCKS + 2) * NORM,
    # Norms, query key and value, output, and the MLP's 4 C + C.
    "BiasTuning": 2 * C + BLOCKS * (2 * C + 3 * C + C + 4 * C + C),
    # Down 768 x 64 + 64, up 64 x 768 + 768.
    "AdaptFormer": BLOCKS * 99_136,
    # Three adapters per block, the temporal embedding 8 x 768, the last norm.
    "AIM": BLOCKS * 3 * 295_872 + 8 * C + NORM,
    # 606,192 per block (tests/parity/test_d2st_adapter.py), the temporal embedding 8 x 768, the
    # class token, the last norm.
    "D2STAdapter": BLOCKS * 606_192 + 8 * C + C + NORM,
    # Twice per block: 768 x 192 + 192, two convolutions 192 x 5 + 192, two weights for each of the
    # 192 channels, 192 x 768 + 768.
    "DiA": BLOCKS * 2 * 298_560,
    # A rank x C and B C x rank for query and value, rank 8.
    "LoRA": BLOCKS * 2 * (2 * 8 * C),
    # Four adapters in each of the last four blocks, the temporal embedding.
    "TaskAdapter": 4 * 4 * 295_872 + 8 * C,
    # Ten prompts per block.
    "VisualPrompts": BLOCKS * 10 * C,
    # Twice per block: 768 x 384 + 384, 384 x 3 + 384, 384 x 768 + 768.
    "STAdapter": 14_220_288,
    # Per block three adapters of 295,872 and TextFC 512 x 768 + 768; temporal embedding 8 x 768.
    "FineGrainedMultimodal": BLOCKS * (3 * 295_872 + 393_984) + 8 * C,
}


def test_every_adapter_has_a_formula() -> None:
    assert set(COUNTS) == set(names("adapter"))


@pytest.mark.parametrize(("adapter", "expected"), COUNTS.items())
def test_check_prints_the_formula(adapter: str, expected: int) -> None:
    config = ["check", "mafsar_ssv2_1shot.py", "--set", f"adapter.type={adapter}"]
    overrides = ["--set", "prototypes.type=Mean"]
    done = CliRunner().invoke(app, [*config, *overrides], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert printed(done.output) == expected


def printed(output: str) -> int:
    """Number of trainable parameters in the row of the total."""
    row = next(line for line in output.splitlines() if line.startswith("│ all "))
    return int(row.replace("│", " ").split()[-2].replace(",", ""))
