"""Speed and memory options: activation checkpointing, torch.compile, TF32."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from fsarbench.backbones.vit import BlockLoop
from fsarbench.errors import UserError
from fsarbench.interfaces import Backbone
from fsarbench.settings import TrainSettings

COMPILER = "inductor"


@contextmanager
def accelerated(backbone: Backbone, settings: TrainSettings) -> Iterator[None]:
    """Apply the speed and memory options of `train` to a backbone and torch in a `with` block.

    Raises:
        UserError: The backbone has no blocks that could be checkpointed or compiled.
    """
    block_loop = BlockLoop(int(settings.checkpointing), COMPILER if settings.compile else "")
    with ExitStack() as stack:
        stack.enter_context(tf32_matmul(settings.tf32))
        if block_loop != BlockLoop():
            stack.enter_context(block_execution(backbone, block_loop))
        yield


@contextmanager
def block_execution(backbone: Backbone, block_loop: BlockLoop) -> Iterator[None]:
    """Set how a vision transformer runs its blocks, for the code in a `with` block.

    Raises:
        UserError: The backbone does not run its blocks one by one.
    """
    before = getattr(backbone, "block_loop", None)
    if before is None:
        raise UserError(
            "train.checkpointing and train.compile need a vision transformer whose blocks run one "
            f"by one, and {type(backbone).__name__} has none. Set both to False."
        )
    loops: Any = backbone
    loops.block_loop = block_loop
    try:
        with warnings.catch_warnings():
            # torch.compile reads the attribute `grad` of tensors without gradients.
            warnings.filterwarnings("ignore", "The .grad attribute of a Tensor that is not a leaf")
            yield
    finally:
        loops.block_loop = before


@contextmanager
def tf32_matmul(tf32: bool) -> Iterator[None]:
    """Run matrix products and convolutions of fp32 tensors in TF32, or in full fp32.

    By default, torch runs convolutions in TF32 and matrix products in fp32.
    """
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
