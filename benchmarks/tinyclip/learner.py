"""Model in training: initialisation and losses."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.transformer import text_global_pool
from torch import Tensor

from .facts import CELLS
from .stream import Batch


class Losses(NamedTuple):
    """Frames against captions, and the cover told by the embedding and by the patches."""

    told: Tensor
    covered: Tensor
    patches: Tensor

    def total(self) -> Tensor:
        """What is made small."""
        return self.told + self.covered + self.patches


class Learner(torch.nn.Module):
    """The model and, for training only, two linear maps from frames to where things are.

    One map reads the frame's embedding, the other each patch. On two processor cores contrastive
    learning alone stays at its start for longer than the whole budget; where things are is learnt
    within hundreds of steps from the patches. The maps are thrown away afterwards.
    """

    def __init__(self, model: Any, half: bool) -> None:
        super().__init__()
        self.model, self.half = model, half
        self.side = round((model.visual.positional_embedding.shape[0] - 1) ** 0.5)
        self.whole = torch.nn.Linear(model.visual.output_dim, CELLS**2)
        self.part = torch.nn.Linear(model.visual.conv1.out_channels, (CELLS // self.side) ** 2)

    def forward(self, batch: Batch, speaking: bool) -> Losses:
        """The losses of one batch; without captions, and their cost, while not `speaking`."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.half):
            image, patches = self.model.visual(normalised(batch.pixels))
            text = encode_text(self.model, batch.tokens) if speaking else None
        image = F.normalize(image.float(), dim=-1)
        told = image.new_zeros(())
        if text is not None:
            text = F.normalize(text.float(), dim=-1)
            told = contrast(self.model.logit_scale.exp() * image @ text.T, batch.holds)
        covered = F.binary_cross_entropy_with_logits(10 * self.whole(image), batch.cover)
        near = F.binary_cross_entropy_with_logits(
            self.part(patches.float()), self._cut(batch.cover)
        )
        return Losses(told, covered, near)

    def _cut(self, cover: Tensor) -> Tensor:
        """The cover "N cells*cells" cut into the patches' shares, "N patches share"."""
        inner = CELLS // self.side
        grid = cover.view(-1, self.side, inner, self.side, inner)
        return grid.permute(0, 1, 3, 2, 4).reshape(len(cover), self.side**2, inner**2)


@torch.no_grad()
def prepare(model: Any) -> None:
    """Starts the vision tower where it learns sooner: places and blocks that speak up.

    open_clip starts positions at a sixth of the patches' size; here they are waves over the grid of
    about that size. The blocks' outputs are four times larger.
    """
    visual = model.visual
    visual.output_tokens = True
    places, width = visual.positional_embedding.shape
    side = round((places - 1) ** 0.5)
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    pace = torch.linspace(0.5, side / 2, width // 8) * torch.pi / side
    waves = [
        f(c.flatten()[:, None] * pace + 0.25) for c in (column, row) for f in (torch.sin, torch.cos)
    ]
    wave = torch.cat(waves, 1)
    visual.positional_embedding[1:] = 0.7 * torch.cat([wave, wave.roll(7, 1)], 1)
    for block in visual.transformer.resblocks:
        block.attn.out_proj.weight *= 4
        block.mlp.c_proj.weight *= 4


def normalised(pixels: Tensor) -> Tensor:
    """CLIP's input of uint8 frames "N S S 3"."""
    mean, std = (torch.tensor(v) * 255 for v in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    # contiguous: a channels-last input makes the whole tower several times slower on a CPU
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2).contiguous()


def contrast(logits: Tensor, holds: Tensor) -> Tensor:
    """CLIP's loss where a frame has many true captions and a caption many true frames.

    Each true pair competes against the false pairs of its row, and of its column.
    """
    return (_rows(logits, holds) + _rows(logits.T, holds.T)) / 2


def _rows(logits: Tensor, holds: Tensor) -> Tensor:
    false = logits.masked_fill(holds, -torch.inf).logsumexp(1, keepdim=True)
    loss = F.softplus(false - logits).masked_fill(~holds, 0)
    return (loss.sum(1) / holds.sum(1).clamp(min=1)).mean()


def encode_text(model: Any, tokens: Tensor) -> Tensor:
    """The text tower on captions cut to the longest one: causal, so the same numbers for less."""
    length = int((tokens != 0).sum(1).max())
    tokens = tokens[:, :length]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    return text_global_pool(model.ln_final(hidden), tokens) @ model.text_projection
