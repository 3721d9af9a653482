"""ST-Adapter's module matches its equation, patch by patch in float64."""

import torch

from fsarbench.adapters.st_adapter import SpaceTimeBottleneck, STAdapter
from fsarbench.model import count_parameters


def naive(module: SpaceTimeBottleneck, tokens: torch.Tensor) -> torch.Tensor:
    """One video "T L C": X + DWConv3D(X W_down) W_up over frames, rows and columns."""
    frames, length, _ = tokens.shape
    side = int((length - module.prefix) ** 0.5)
    down = tokens @ module.down.weight.T + module.down.bias
    kernel = module.conv.weight
    reach = [k // 2 for k in kernel.shape[2:]]
    out = tokens.clone()
    for t in range(frames):
        for y in range(side):
            for x in range(side):
                mixed = module.conv.bias.clone()
                for a in range(kernel.shape[2]):
                    for b in range(kernel.shape[3]):
                        for c in range(kernel.shape[4]):
                            i, j, k = t + a - reach[0], y + b - reach[1], x + c - reach[2]
                            if 0 <= i < frames and 0 <= j < side and 0 <= k < side:
                                patch = down[i, module.prefix + j * side + k]
                                mixed = mixed + kernel[:, 0, a, b, c] * patch
                at = module.prefix + y * side + x
                out[t, at] = tokens[t, at] + module.up.weight @ mixed + module.up.bias
    return out


def test_values() -> None:
    torch.manual_seed(0)
    module = SpaceTimeBottleneck(6, 4, (3, 1, 3), prefix=2).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    tokens = torch.randn(2, 4, 2 + 9, 6, dtype=torch.float64)
    expected = torch.stack([naive(module, video) for video in tokens])
    torch.testing.assert_close(module(tokens), expected, rtol=1e-10, atol=1e-10)


def test_parameters_of_a_block_of_vit_b() -> None:
    # 768 x 384 + 384, the convolution 384 x 3 + 384, 384 x 768 + 768: 592,512, twice a block.
    assert count_parameters(STAdapter(768)) == 2 * 592_512
    assert count_parameters(STAdapter(768, before="mlp")) == 592_512
    assert count_parameters(
        STAdapter(768, bottleneck=192, kernel=(3, 3, 3), before="attention")
    ) == (768 * 192 + 192 + 192 * 27 + 192 + 192 * 768 + 768)
