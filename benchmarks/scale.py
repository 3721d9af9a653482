"""What large tables and several processes cost, and what 1, 8 and 64 GPUs can be expected to give.

    python -m benchmarks.scale

measures, writes `benchmarks/results/scale.json`, and from it the tables of `docs/scale.md`:

- tables: the steps that read a list of 55,000 to 220,000 videos, each in a process of its own;
- processes: training with 1, 2 and 4 gloo processes, in CPU time, so that other load on the
  machine does not count;
- plan: hours of training and testing on SSv2-Full, computed from operations, measured reading and
  matching, and assumed speeds of a GPU and of a network.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.sheet import RESULTS
from benchmarks.tables import table
from fsarbench.runtime.atomic_files import write_text
from fsarbench.runtime.environment import versions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scale.md"
START, END = "<!-- scale -->\n", "<!-- /scale -->"
SIZES = (55_000, 110_000, 220_000)
CLASSES = {"train": 64, "val": 12, "test": 24}

# Each step starts from the imports that it needs, so that only its own memory is counted.
STEPS = {
    "import": """
from pathlib import Path
from fsarbench.data.importing.from_lists import import_lists
from fsarbench.data.importing.known_lists import KnownDataset
@step
def run(folder):
    import_lists(KnownDataset("made", "Made"), folder / "lists", folder / "videos", progress=False)
""",
    "check": """
from fsarbench.data.datasets.annotated import AnnotatedVideos
@step
def run(folder):
    dataset = AnnotatedVideos("made", str(folder / "videos"), annotations="made.csv")
    dataset.splits(), dataset.fingerprint()
""",
    "10,000 episodes": """
from fsarbench.data.datasets.annotated import AnnotatedVideos
from fsarbench.data.episode_sampler import EpisodeSampler, EpisodeSettings
dataset = AnnotatedVideos("made", str(folder / "videos"), annotations="made.csv")
splits = dataset.splits()
@step
def run(folder):
    sampler = EpisodeSampler(splits["train"], EpisodeSettings(way=5, shot=1, queries=5), 0)
    for number in range(10_000):
        sampler.episode(number)
""",
}
FRAME = """
import json, resource, sys
from pathlib import Path
folder = Path(sys.argv[1])
def step(run):
    def used():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lines = Path("/proc/self/status").read_text().splitlines()
        kib = {key: int(line.split()[1]) for line in lines for key in ("VmHWM", "VmRSS")
               if line.startswith(key)}
        return usage.ru_utime + usage.ru_stime, kib
    seconds, before = used()
    run(folder)
    after, peak = used()
    memory = max(0, peak["VmHWM"] - before["VmRSS"]) * 1024
    print(json.dumps({"cpu_seconds": after - seconds, "bytes": memory}))
"""


def make_list(folder: Path, videos: int) -> None:
    """Lists in TRX's layout and an empty file for each of their videos."""
    (folder / "lists").mkdir()
    names = [(split, f"{split}_{n}") for split, count in CLASSES.items() for n in range(count)]
    lines: dict[str, list[str]] = {split: [] for split in CLASSES}
    for _, name in names:
        (folder / "videos" / name).mkdir(parents=True)
    for number in range(videos):
        split, name = names[number % len(names)]
        lines[split].append(f"{name}/{number:06d}")
        (folder / "videos" / name / f"{number:06d}.mp4").touch()
    for split, listed in lines.items():
        (folder / "lists" / f"{split}list03.txt").write_text("\n".join(listed) + "\n")


def large_tables(sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """CPU seconds and additional memory of each step for lists of several sizes."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            make_list(Path(name), size)
            for title, code in STEPS.items():
                command = [sys.executable, "-c", FRAME + code, name]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                yield {"videos": size, "step": title, **json.loads(done.stdout.splitlines()[-1])}


def processes(counts: Sequence[int], short: int, long: int) -> Iterator[dict[str, Any]]:
    """CPU seconds per training episode with several gloo processes, of one thread each.

    The difference of two lengths leaves out the start, validation and test.
    """
    for count in counts:
        spent = [training(count, episodes) for episodes in (short, long)]
        yield {"processes": count, "cpu_seconds": (spent[1] - spent[0]) / (long - short)}


def training(count: int, episodes: int) -> float:
    """CPU seconds of a training run of MA-FSAR on synthact, all its processes together."""
    sets = {
        "train.episodes": episodes,
        "train.val_interval": episodes,
        "train.warmup": 0,
        "train.accumulate": 4 // count,
        "train.workers": 0,
        "evaluate.workers": 0,
        "evaluate.val_episodes": 4,
        "evaluate.episodes": 4,
    }
    said = [part for key, value in sets.items() for part in ("--set", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as name:
        run = ["-m", "fsarbench", "run", "mafsar_synthact_1shot", "--work-dir", f"{name}/run"]
        start = [sys.executable] if count == 1 else [sys.executable, "-m", "torch.distributed.run"]
        start += [] if count == 1 else [f"--nproc-per-node={count}", "--standalone"]
        before = children()
        subprocess.run(
            [*start, *run, "--quiet", "--device", "cpu", *said],
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
        )
        return children() - before


def children() -> float:
    """CPU seconds of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Plan:
    """Inputs of the plan: MA-FSAR on CLIP ViT-B/16, SSv2-Full, 5-way 1-shot, 8 frames.

    Attributes:
        step_tflop: Operations of a training episode with 5 queries per class (`profile`), 10^12.
        video_tflop: Operations of encoding a test video, 10^12.
        episodes: Training episodes of `recipes/mafsar.py`.
        clips: Videos of a training episode.
        test_videos: Test videos of SSv2-Full.
        decoded: Clips per second of a core from 256-pixel mp4 (`bench_reading.py`).
        stored: The same from the frame store, raw, already cropped.
        matching: Core seconds of matching 10,000 cached episodes (`bench_evaluate.py`).
        gradient_gb: Gradients that are averaged per optimizer step: 18.5 M in fp32.
        accumulate: Episodes per optimizer step over all GPUs, but at least one per GPU.
        gpu_tflops: Assumed rate of a GPU: 25 % of the bf16 peak of an H100 (989).
        network: Assumed rate of the network between GPUs, in GB per second.
        cores: Assumed cores per GPU.
    """

    step_tflop: float = 19.238
    video_tflop: float = 0.305
    episodes: int = 10_000
    clips: int = 30
    test_videos: int = 2857
    decoded: float = 44
    stored: float = 1347
    matching: float = 5.5
    gradient_gb: float = 0.0742
    accumulate: int = 4
    gpu_tflops: float = 247
    network: float = 10
    cores: int = 8

    def row(self, gpus: int) -> dict[str, float]:
        """Minutes of training and seconds of testing with this number of GPUs."""
        compute = self.step_tflop / self.gpu_tflops
        read = {
            "mp4": self.clips / (self.decoded * self.cores),
            "store": self.clips / (self.stored * self.cores),
        }
        per_step = max(self.accumulate // gpus, 1)
        # A ring moves twice the gradients, whatever the number of GPUs.
        average = 2 * (gpus - 1) / gpus * self.gradient_gb / self.network / per_step
        episodes = self.episodes / gpus
        encode = self.test_videos * self.video_tflop / self.gpu_tflops / gpus
        return {
            "gpus": gpus,
            "minutes, store": episodes * (max(compute, read["store"]) + average) / 60,
            "minutes, mp4": episodes * (max(compute, read["mp4"]) + average) / 60,
            "share of averaging": average / (max(compute, read["store"]) + average),
            "test seconds, store": max(encode, self.test_videos / (self.stored * self.cores) / gpus)
            + self.matching / gpus,
            "test seconds, mp4": max(encode, self.test_videos / (self.decoded * self.cores) / gpus)
            + self.matching / gpus,
        }


def page_with(page: str, found: dict[str, Any]) -> str:
    """The page with the tables between its markers.

    Raises:
        ValueError: It has no markers.
    """
    head, start, rest = page.partition(START)
    _, end, tail = rest.partition(END)
    if not (start and end):
        raise ValueError(f"No '{START.strip()}' and '{END}' in {PAGE}.")
    return f"{head}{start}\n" + "\n".join(text(found)) + f"\n{end}{tail}"


def text(found: dict[str, Any]) -> Iterator[str]:
    """Tables of a result."""
    plan = Plan(**found["plan"])
    yield "**Plan.** MA-FSAR on CLIP ViT-B/16, SSv2-Full, 5-way 1-shot: minutes of"
    yield f"{plan.episodes:,} training episodes, and seconds of 10,000 test episodes."
    yield ""
    rows = (plan.row(gpus) for gpus in (1, 8, 64))
    yield from table(
        [
            "GPUs",
            "training, frame store",
            "training, mp4",
            "averaging gradients",
            "test, frame store",
            "test, mp4",
        ],
        (
            [
                f"{row['gpus']:.0f}",
                f"{row['minutes, store']:,.1f} min",
                f"{row['minutes, mp4']:,.1f} min",
                f"{row['share of averaging']:.0%}",
                f"{row['test seconds, store']:,.1f} s",
                f"{row['test seconds, mp4']:,.1f} s",
            ]
            for row in rows
        ),
    )
    yield "**Tables.** CPU seconds and additional memory of reading a list, without decoding."
    yield ""
    cells: dict[int, list[str]] = {}
    for row in found["tables"]:
        cell = f"{row['cpu_seconds']:.1f} s, {row['bytes'] / 2**20:,.0f} MiB"
        cells.setdefault(row["videos"], []).append(cell)
    yield from table(
        ["videos", "`data import`", "`check`: table and files", "10,000 episodes drawn"],
        ([f"{size:,}", *row] for size, row in cells.items()),
    )
    yield "**Processes.** CPU time of all processes per training episode of MA-FSAR"
    yield "(`fsarbench-tiny`, gloo, one thread each), relative to one process."
    yield ""
    first = found["processes"][0]["cpu_seconds"]
    yield from table(
        ["processes", "CPU seconds per episode", "ratio"],
        (
            [str(r["processes"]), f"{r['cpu_seconds']:.3f}", f"{r['cpu_seconds'] / first:.2f}"]
            for r in found["processes"]
        ),
    )
    yield f"*Measured with torch {found['versions']['torch']}, {found['date']}.*"


def main() -> None:
    """Measure, and write the results and the tables of the page."""
    parser = argparse.ArgumentParser(description="Costs of scale; writes docs/scale.md's tables.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--episodes", type=int, nargs=2, default=[16, 80])
    given = parser.parse_args()
    found = {
        "plan": asdict(Plan()),
        "tables": list(large_tables(given.sizes)),
        "processes": list(processes(given.processes, *given.episodes)),
        "versions": versions(),
        "date": time.strftime("%Y-%m-%d"),
    }
    write_text(RESULTS / "scale.json", json.dumps(found, indent=1) + "\n")
    write_text(PAGE, page_with(PAGE.read_text("utf-8"), found))


if __name__ == "__main__":
    main()
