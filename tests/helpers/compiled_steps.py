"""Training steps with and without compiled blocks; run by test_acceleration."""

import torch
from torch._dynamo.utils import counters

from fsarbench.backbones.vit import BlockLoop
from fsarbench.model import FewShotModel, trainable_parameters
from tests.helpers.combinations import adapted, episode


def gradients(model: FewShotModel) -> list[torch.Tensor]:
    model.train().zero_grad()
    text = model.encode_text(episode())
    support, query = model.encode(episode(), text)
    (support.frames.square().sum() + query.frames.square().sum()).backward()
    return [
        p.grad.clone() for p in trainable_parameters(model.backbone).values() if p.grad is not None
    ]


def agree(name: str) -> int:
    """The number of programs, if the gradients agree."""
    model = adapted(name)
    plain = gradients(model)
    programs = counters["stats"]["unique_graphs"]
    # The compiler's front ends alone; code for a CPU takes a minute.
    for walk in (BlockLoop(compiler="aot_eager"), BlockLoop(recompute=3, compiler="aot_eager")):
        model.backbone.block_loop = walk
        for ours, theirs in zip(gradients(model), plain, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not counters["graph_break"]
    return int(counters["stats"]["unique_graphs"] - programs)


if __name__ == "__main__":
    for adapter in ("FineGrainedMultimodal", "AIM"):
        print(adapter, agree(adapter))
