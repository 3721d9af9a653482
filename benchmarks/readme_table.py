"""The table of the README: assemblies on synthact, 5-way 1-shot, three seeds each.

Run it from anywhere: `python benchmarks/readme_table.py runs/readme`. What is finished in that
folder is kept, so it can be stopped and started again. About an hour on two cores.
"""

import subprocess
import sys
from pathlib import Path

from fsarbench.engine.results import RESULT, read_result
from fsarbench.report.table import markdown_table

MAFSAR = "mafsar_synthact_1shot"
SEEDS = (0, 1, 2)
# Name, config, overrides, and whether there is anything to train.
ROWS: list[tuple[str, str, list[str], bool]] = [
    ("frozen + MeanCosine", "frozen_synthact_1shot", [], False),
    ("frozen + OTAM", "frozen_synthact_1shot", ["matcher.type=OTAM"], False),
    ("full fine-tuning + TPCM + OTAM", "finetune_synthact_1shot", [], True),
    ("ST-Adapter + OTAM", "stadapter_synthact_1shot", [], True),
    ("MA-FSAR", MAFSAR, [], True),
    ("MA-FSAR without GTA", MAFSAR, ["adapter.gta=False"], True),
    ("MA-FSAR without LMA's text", MAFSAR, ["adapter.text=False"], True),
    ("MA-FSAR without TPCM", MAFSAR, ["prototypes.type=Mean"], True),
    ("MA-FSAR without adapters", MAFSAR, ["adapter.type=Frozen"], True),
]


def main(folder: Path) -> None:
    """Run what is missing, then print the table."""
    results = []
    for name, config, overrides, trained in ROWS:
        for seed in SEEDS if trained else SEEDS[:1]:
            place = folder / f"{name.replace(' ', '_')}_{seed}"
            if not (place / RESULT).is_file():
                train_and_test(name, config, [*overrides, f"seed={seed}"], place)
            results.append(read_result(place))
    print(markdown_table(results))


def train_and_test(name: str, config: str, overrides: list[str], place: Path) -> None:
    command = [sys.executable, "-m", "fsarbench", "run", config, "--name", name, "--quiet"]
    command += ["--work-dir", str(place), "--resume"]
    for override in overrides:
        command += ["--set", override]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/readme"))
