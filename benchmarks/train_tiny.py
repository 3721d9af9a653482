"""Trains `fsarbench-tiny`, the small CLIP in the package, on rendered frames and their captions.

Run from the repository's root: `python benchmarks/train_tiny.py --minutes 12 --out
fsarbench/backbones/tiny_clip`. It writes the model's description, the tokenizer's merges and the
weights; the frames are the same at every run, the weights are not, as the number of steps depends
on the machine.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from tinyclip import frames, vocabulary
from tinyclip.captions import Captioner
from tinyclip.learn import learn
from tinyclip.learner import Learner, Losses, prepare
from tinyclip.look import look
from tinyclip.stream import batches

from fsarbench.data.synthetic.synthact.actions import ACTIONS

WEIGHTS = "fsarbench-tiny.safetensors"
VISION = {"image_size": 64, "patch_size": 16, "width": 128, "layers": 4, "head_width": 32}
TEXT = {"context_length": 32, "width": 128, "heads": 4, "layers": 2}
HELD_OUT = 3000


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    model, tokenizer = described(given.out)
    pool = frames.pool(given.frames + HELD_OUT, given.clips, given.seed, given.workers)
    print(f"{len(pool.action)} frames in memory", flush=True)
    held, kept = np.split(np.arange(len(pool.action)), [HELD_OUT])
    captioner = Captioner(frames.NAMES, np.random.default_rng(given.seed))
    stream = batches(pool.take(kept), captioner, tokenizer, given.batch, given.seed)
    prepare(model)
    steps = learn(
        Learner(model, given.half), stream, given.minutes, given.rate, Report(given.out, model)
    )
    save(given.out, model)
    weights = sum(p.numel() for p in model.parameters())
    print(f"{steps} steps of {given.batch} frames, {weights} weights")
    for name, value in look(model.eval(), tokenizer, pool.take(held), given.episodes).items():
        print(f"{name}: {value:.3f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the three files")
    add("--minutes", type=float, default=12.0, help="time for training, without the rendering")
    add("--frames", type=int, default=30_000, help="free scenes")
    add("--clips", type=int, default=24, help="clips of each training action")
    add("--batch", type=int, default=96)
    add("--rate", type=float, default=2e-3, help="the learning rate after the warm-up")
    add("--threads", type=int, default=os.cpu_count() or 1)
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes that render")
    add("--half", action=argparse.BooleanOptionalAction, default=True, help="bfloat16")
    add("--episodes", type=int, default=300, help="episodes of the look at usefulness")
    add("--seed", type=int, default=0)
    return parser.parse_args()


def described(out: Path) -> tuple[Any, SimpleTokenizer]:
    """Writes the merges and the model's description; returns the untrained model and tokenizer."""
    names = frames.NAMES
    sentences = [*names.shape, *names.colour, *names.texture, *(a.name for a in ACTIONS)]
    pairs = vocabulary.merges(vocabulary.words(sentences), limit=700)
    size = vocabulary.write(out / "merges.txt.gz", pairs)
    text = {**TEXT, "vocab_size": size}
    config = {"embed_dim": 128, "vision_cfg": VISION, "text_cfg": text}
    (out / "model.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tokenizer = SimpleTokenizer(str(out / "merges.txt.gz"), context_length=TEXT["context_length"])
    return CLIP(embed_dim=128, vision_cfg=VISION, text_cfg=text), tokenizer


def save(out: Path, model: Any) -> None:
    """Writes the weights aside, then renames, so that the file is never half written."""
    aside = out / f"{WEIGHTS}.part"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, aside)
    aside.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(aside, out / WEIGHTS)


class Report:
    """Prints the mean losses and saves the weights every few steps."""

    def __init__(self, out: Path, model: Any, every: int = 100) -> None:
        self.out, self.model, self.every = out, model, every
        self.start, self.losses = time.monotonic(), []  # type: ignore[var-annotated]

    def __call__(self, step: int, done: float, losses: Losses) -> None:
        """Takes the losses of a step, and the share of the time that is used."""
        self.losses.append([float(loss.detach()) for loss in losses])
        if step % self.every == 0:
            means = " ".join(f"{mean:.4f}" for mean in np.mean(self.losses[-self.every :], 0))
            passed = time.monotonic() - self.start
            print(f"{step:6d} {done:4.0%} {passed:5.0f} s  {means}", flush=True)
            save(self.out, self.model)


if __name__ == "__main__":
    main()
