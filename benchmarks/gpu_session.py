"""All measurements that need a GPU, as few commands, each with its own log and time limit.

On a machine with a GPU, from the repository's root::

    python benchmarks/gpu_session.py --out runs/gpu

`--only suites profile` runs some of the steps, `--list` prints the commands without running them,
and `--small` runs all of them on a CPU at small sizes, to see that they work. A command that fails
or takes too long does not stop the others; `session.json` has the exit status of each.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUITES = ("backbones", "train_step", "matchers", "adapters", "evaluate", "reading")
RUN = [sys.executable, "-m", "fsarbench"]
TRAINED = "configs/profile/mafsar_synthact_1shot_vitb16.py"
# The step of the papers, and ours: precision and what else a training step is told.
STEPS = {
    "plain": ["train.precision=fp32"],
    "lean": ["train.precision=bf16"],
    "recomputed": ["train.precision=bf16", "train.checkpointing=True"],
}
# Enough to exercise a run where nothing is measured.
FEW = [
    "train.episodes=2",
    "train.warmup=0",
    "train.workers=0",
    "evaluate.episodes=4",
    "evaluate.val_episodes=4",
]
FEW += ["evaluate.workers=0", "dataset.train_videos=6", "dataset.val_videos=6"]
FEW += ["dataset.test_videos=6"]
Command = tuple[str, list[str]]


def suites(out: Path, small: bool) -> Iterator[Command]:
    """The benchmark suites."""
    how = ["--device", "cuda", "--sizes", "paper", "--compiled", "--results", str(out)]
    for suite in SUITES:
        file = f"benchmarks/bench_{suite}.py"
        command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", file]
        yield f"suite_{suite}", command + (["--benchmark-disable"] if small else how)


def profiles(out: Path, small: bool) -> Iterator[Command]:
    """The paper's table in fp32 and bf16; its largest backbone with activation checkpointing."""
    found = (ROOT / "configs/profile").glob("*_vitb32_*.py")
    # Full fine-tuning leads: the others are held against it.
    order = sorted(found, key=lambda path: (not path.name.startswith("finetune"), path.name))
    small_vits = [str(path.relative_to(ROOT)) for path in order]
    device = ["--device", "cpu", "--no-time"] if small else ["--device", "cuda", "--roofline"]
    for name, overrides in STEPS.items():
        for size, configs in (("vitb32", small_vits), ("vitb16", [TRAINED])):
            said = [part for override in overrides for part in ("--set", override)]
            written = ["--json", str(out / f"profile_{size}_{name}.json")]
            yield f"profile_{size}_{name}", [*RUN, "profile", *configs, *said, *device, *written]


def runs(out: Path, small: bool) -> Iterator[Command]:
    """Training and testing on `synthact`."""
    config = "configs/mafsar_synthact_1shot.py" if small else TRAINED
    said = [part for override in (FEW if small else []) for part in ("--set", override)]
    device = ["--device", "cpu" if small else "cuda", "--work-dir", str(out / "run"), "--quiet"]
    yield "run", [*RUN, "run", config, *said, *device]


KINDS = {"suites": suites, "profile": profiles, "run": runs}


def main() -> int:
    """Run the commands and return the number of failures."""
    given = arguments()
    out = given.out.resolve()
    chosen = [pair for kind in given.only for pair in KINDS[kind](out, given.small)]
    if given.list:
        print("\n".join(f"{name}: {' '.join(command)}" for name, command in chosen))
        return 0
    out.mkdir(parents=True, exist_ok=True)
    done = {}
    for name, command in chosen:
        done[name] = {"command": command, **run(command, out / f"{name}.log", given.limit)}
        print(f"{name}: {done[name]['end']}, {done[name]['seconds']} s", flush=True)
        (out / "session.json").write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return sum(entry["end"] != "done" for entry in done.values())


def run(command: list[str], log: Path, limit: float) -> dict[str, object]:
    """Run one command, with its output in a log file."""
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, timeout=limit, check=False
            ).returncode
            end = "done" if code == 0 else f"failed with {code}"
        except subprocess.TimeoutExpired:
            end = f"stopped after {limit:.0f} s"
    return {"end": end, "seconds": round(time.monotonic() - start)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder for results and logs")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--limit", type=float, default=550.0, help="seconds of one command")
    parser.add_argument("--small", action="store_true", help="on a CPU, to see that all work")
    parser.add_argument("--list", action="store_true", help="print the commands alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(min(main(), 1))
