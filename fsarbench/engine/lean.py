"""What a training step costs beside what it computes: recomputation, compilation, TF32."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from fsarbench.backbones.vit import ViT
from fsarbench.backbones.walk import Walk
from fsarbench.engine.settings import TrainSettings
from fsarbench.errors import UserError
from fsarbench.interfaces import Backbone

COMPILER = "inductor"


@contextmanager
def lean(backbone: Backbone, settings: TrainSettings) -> Iterator[None]:
    """Lets a backbone train as the settings say, and afterwards leaves it and torch as before.

    Raises:
        UserError: The backbone has no blocks that could be recomputed or compiled.
    """
    walk = Walk(int(settings.checkpointing), COMPILER if settings.compile else "")
    with ExitStack() as stack:
        stack.enter_context(matrix_products(settings.tf32))
        if walk != Walk():
            stack.enter_context(walking(backbone, walk))
        yield


@contextmanager
def walking(backbone: Backbone, walk: Walk) -> Iterator[None]:
    """Another walk over the blocks.

    Raises:
        UserError: The backbone does not walk.
    """
    if not isinstance(backbone, ViT):
        raise UserError(
            "train.checkpointing and train.compile work on the blocks of a vision transformer, and "
            f"{type(backbone).__name__} has none. Set both to False."
        )
    before, backbone.walk = backbone.walk, walk
    try:
        with warnings.catch_warnings():
            # The compiler itself looks at gradients that are not there.
            warnings.filterwarnings("ignore", "The .grad attribute of a Tensor that is not a leaf")
            yield
    finally:
        backbone.walk = before


@contextmanager
def matrix_products(tf32: bool) -> Iterator[None]:
    """Matrix products and convolutions of fp32 tensors in TF32, or in whole fp32.

    torch's own default is a mixture: convolutions in TF32, matrix products in fp32.
    """
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
