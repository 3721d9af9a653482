import open_clip.transformer
import pytest
import torch

from fsarbench.backbones.openclip_vit import QuickGELU
from fsarbench.config.build import build_component


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_are_those_of_open_clip(dtype: torch.dtype) -> None:
    ours = (torch.randn(64, 33) * 4).to(dtype).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    weights = torch.randn(64, 33).to(dtype)
    one, two = QuickGELU()(ours), open_clip.transformer.QuickGELU()(theirs)
    assert torch.equal(one, two)
    (one * weights).sum().backward()
    (two * weights).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


def test_only_its_input_is_saved_for_backward() -> None:
    kept = []
    inputs = torch.randn(8, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        QuickGELU()(inputs)
    assert len(kept) == 1
    assert torch.equal(kept[0], inputs)


def test_clip_with_quick_gelu_uses_it() -> None:
    spec = {"type": "OpenClipViT", "model": "fsarbench-tiny"}
    for quick in (False, True):
        trunk = build_component("backbone", {**spec, "quick_gelu": quick}).trunk
        activations = {type(block.mlp.gelu) for block in trunk.visual.transformer.resblocks}
        assert (activations == {QuickGELU}) is quick
