"""Functions of `benchmarks/train_tiny.py`; the script itself takes minutes and is not run here."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks"))

from tinyclip import augment, captions, facts, frames, learner, phrases, vocabulary


@pytest.fixture(scope="module")
def pool():
    parts = [frames.free(3, 40), frames.acted(0, range(2))]
    return augment.Frames(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def known(shown):
    return facts.facts(shown.geometry, shown.action, shown.phase)


def test_a_caption_is_true_of_the_frame_it_was_drawn_for(pool):
    captioner = captions.Captioner(frames.NAMES, np.random.default_rng(0))
    rows = np.repeat(np.arange(len(pool.action)), 8)
    drawn = [captioner.caption(known(pool), i) for i in rows]
    holds = captions.truth(known(pool), drawn)
    assert holds[rows, np.arange(len(rows))].all()
    assert 0.005 < holds.mean() < 0.3


def test_a_relation_is_not_true_the_other_way_round():
    geometry = np.zeros((2, facts.OBJECTS, 9), np.float32)
    geometry[:, :2, 2:4] = 0.1, 1.0
    geometry[0, :2, :2] = (0.2, 0.5), (0.8, 0.5)
    geometry[1, :2, :2] = (0.5, 0.2), (0.5, 0.8)
    nothing = np.full(2, -1)
    shown = facts.facts(geometry, nothing, nothing)
    beside = facts.RELATIONS.index("beside")
    assert phrases.RELATION["beside"][shown.pairs[0, 0, 1, beside]] == "left of"
    assert phrases.RELATION["beside"][shown.pairs[0, 1, 0, beside]] == "right of"
    assert phrases.RELATION["beside"][shown.pairs[1, 0, 1, beside]] == "level with"


def test_only_training_actions_are_shown():
    assert len(frames.TRAIN) == 64
    assert {action.split for action in frames.TRAIN} == {"train"}


def test_mirrored_frames_keep_their_geometry_true(pool):
    """A single object differs most from the frame's mean tone at the position in its geometry."""
    generator = np.random.default_rng(0)
    alone = np.flatnonzero((facts.visible(pool.geometry).sum(1) == 1) & (pool.action < 0))
    clear = alone[pool.geometry[alone, 0, 3] > 0.9]
    assert len(clear) > 3
    for _ in range(8):
        shown = augment.augment(pool.take(clear), generator)
        for pixels, (x, y) in zip(shown.pixels, shown.geometry[:, 0, :2], strict=True):
            assert _contrast(pixels, x, y) > _contrast(pixels, 1 - x, 1 - y) or _central(x, y)


def _central(x: float, y: float) -> bool:
    return np.hypot(x - 0.5, y - 0.5) < 0.15


def _contrast(pixels: np.ndarray, x: float, y: float) -> float:
    side = len(pixels)
    row, column = np.clip(np.array([y, x]) * side, 6, side - 7).astype(int)
    return pixels[row - 6 : row + 7, column - 6 : column + 7].astype(float).std()


def test_the_loss_ignores_other_true_captions():
    logits = torch.tensor([[9.0, 9.0], [-9.0, -9.0]])
    both = torch.tensor([[True, True], [False, False]])
    one = torch.tensor([[True, False], [False, False]])
    assert learner.contrast(logits, both) < 1e-3
    assert learner.contrast(logits, one) > 0.1


def test_merges_make_words_whole_and_do_not_depend_on_the_order_of_sentences(tmp_path):
    spoken = vocabulary.words(["zebra crossing", "crossing"])
    assert spoken == vocabulary.words(["crossing", "zebra crossing"])
    pairs = vocabulary.merges(spoken, 2000)
    assert {"zebra</w>", "crossing</w>"} <= {"".join(pair) for pair in pairs}
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    assert vocabulary.write(first, pairs) == vocabulary.write(second, pairs) == 514 + len(pairs)
    assert first.read_bytes() == second.read_bytes()
