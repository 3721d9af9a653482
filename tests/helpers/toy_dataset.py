"""A data set of small videos and a short recipe, on which a whole run takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np

from fsarbench.catalogue.package_data import resource

CONFIG = """_base_ = ["{base}.py"]
dataset = dict(_delete_=True, type="VideoFolder", root="videos")
clips = dict(frames=2)
episodes = dict(_delete_=True, way=2, shot=1, queries=2)
train = dict(
    _delete_=True, episodes=8, accumulate=2, lr=0.01, val_interval=2, log_interval=1, workers=0
)
evaluate = dict(episodes=200, val_episodes=10, workers=0)
"""


def make_toy(folder: Path, base: str = "mafsar_synthact_1shot") -> Path:
    """Writes `videos`, nine classes of four, and `toy.py`; returns the folder."""
    lines = ["class,split"]
    for number in range(9):
        name = f"class {number}"
        lines.append(f"{name},{('train', 'val', 'test')[number % 3]}")
        (folder / "videos" / name).mkdir(parents=True)
        for copy in range(4):
            write(folder / "videos" / name / f"{copy}.mp4", 4 * number + copy)
    (folder / "videos" / "splits.csv").write_text("\n".join(lines) + "\n")
    (folder / "toy.py").write_text(CONFIG.format(base=resource("configs") / base))
    return folder


def write(path: Path, number: int) -> None:
    """Four frames: noise around the colour of the class."""
    draw = np.random.default_rng(number)
    colour = np.random.default_rng(number // 4).integers(0, 60, 3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(4):
            noise = draw.integers(0, 190, (64, 64, 3))
            frame = av.VideoFrame.from_ndarray((noise + colour).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def fsarbench(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "fsarbench", *args],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )


def environment() -> dict[str, str]:
    """That of a process of its own, on a machine that others use too."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
