"""Results of a trained model: retrieval on held-out frames, and frozen few-shot accuracy."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from fsarbench.data.synthetic.synthact.actions import ACTIONS

from . import frames, probe
from .augment import Frames
from .captions import Captioner, truth
from .facts import facts
from .learner import encode_text, normalised


@torch.inference_mode()
def look(model: Any, tokenizer: Any, held: Frames, episodes: int) -> dict[str, float]:
    """Retrieval among 256 held-out frames, and accuracy on the validation and test classes."""
    model.visual.output_tokens = False
    found = retrieval(model, tokenizer, held.take(np.arange(256)))
    for split in ("val", "test"):
        pixels, labels = frames.clips([a for a in ACTIONS if a.split == split], 10)
        encoded = features(model, pixels.reshape(-1, *pixels.shape[2:]))
        encoded = encoded.reshape(*pixels.shape[:2], -1)
        right = probe.accuracies(encoded, labels, episodes)
        found |= {f"{split}, {name}": value for name, value in right.items()}
    return found


def retrieval(model: Any, tokenizer: Any, held: Frames) -> dict[str, float]:
    """How often the best caption of a frame is true of it, and the best frame of a caption."""
    known = facts(held.geometry, held.action, held.phase)
    captioner = Captioner(frames.NAMES, np.random.default_rng(1))
    captions = [captioner.caption(known, i) for i in range(len(held.action))]
    holds = torch.from_numpy(truth(known, captions))
    text = torch.nn.functional.normalize(
        encode_text(model, tokenizer([caption.words for caption in captions])), dim=-1
    )
    scores = torch.from_numpy(features(model, held.pixels)) @ text.T
    return {
        "a frame's best caption is true": _right(scores, holds),
        "a caption's best frame is right": _right(scores.T, holds.T),
        "true pairs, the chance level": float(holds.float().mean()),
    }


def _right(scores: Tensor, holds: Tensor) -> float:
    return float(holds.gather(1, scores.argmax(1, keepdim=True)).float().mean())


def features(model: Any, pixels: np.ndarray) -> np.ndarray:
    """Unit embeddings of frames "N S S 3"."""
    parts = np.array_split(pixels, max(1, len(pixels) // 500))
    encoded = [model.encode_image(normalised(torch.from_numpy(p)), normalize=True) for p in parts]
    return torch.cat(encoded).numpy()
