"""Clips as small pictures that a page carries inside."""

import base64
import io

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

# Pixels of a frame's side. Larger ones would make a page heavy and show no more of a small clip.
SIDE = 96


def strip(clip: UInt8[Tensor, "T 3 H W"], quality: int = 72) -> str:
    """All frames of a clip beside each other, as a JPEG in a data URI."""
    frames = clip.float()
    if max(clip.shape[-2:]) > SIDE:
        size = (SIDE, SIDE)
        frames = F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)
    row = torch.cat(list(frames.round().clamp(0, 255).to(torch.uint8)), dim=-1)
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(row.permute(1, 2, 0).cpu().numpy())).save(
        out, "JPEG", quality=quality
    )
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
