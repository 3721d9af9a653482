"""MA-FSAR's adapted block matches the equations, token by token in float64."""

import pytest
import torch
from torch import Tensor

from fsarbench.adapters.fine_grained_multimodal import FineGrainedMultimodal
from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.model import count_parameters
from tests.helpers.naive_vit import Naive, bottleneck, linear, norm, of_open_clip

V, T, E = 2, 3, 5


@pytest.fixture
def backbone() -> OpenClipViT:
    torch.manual_seed(0)
    return OpenClipViT("fsarbench-tiny").double().eval()


def adapter(width: int, **options: object) -> FineGrainedMultimodal:
    torch.manual_seed(1)
    built = FineGrainedMultimodal(width, frames=T, text_dim=E, **options).double()
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return built.requires_grad_(True)


def naive(
    a: FineGrainedMultimodal, plain: Naive, x: Tensor, text: Tensor | None, **options: object
) -> Tensor:
    """One video "T L C" through one block, from the equations of the paper."""
    c = x[:, 0] if options.get("prefix", 1) else torch.stack([sum(f) / len(f) for f in x])
    attended = plain.msa(norm(plain.norm1, c))
    temporal = c + bottleneck(a.gta.adapter, attended)
    if options.get("gta") == "skip":
        temporal = temporal + attended
    frames = []
    for t in range(x.shape[0]):
        z = torch.cat([x[t], temporal[t : t + 1]])
        if text is not None:
            z = torch.cat([z, linear(a.text, text[None])])
        attended = plain.msa(norm(plain.norm1, z))
        z = z + bottleneck(a.lma.adapter, attended)
        if options.get("lma") != "no skip":
            z = z + attended
        y = z[: x.shape[1]]
        normed = norm(plain.norm2, y)
        mlp = plain.mlp(normed)
        frames.append(y + mlp + 0.5 * bottleneck(a.joint_adaptation.adapter, normed))
    return torch.stack(frames)


@pytest.mark.parametrize(
    "options", [{}, {"gta": "skip"}, {"lma": "no skip"}, {"prefix": 0}], ids=str
)
@pytest.mark.parametrize("with_text", [True, False], ids=["support", "query"])
def test_values_and_gradients(
    backbone: OpenClipViT, with_text: bool, options: dict[str, object]
) -> None:
    view = backbone.trunk.blocks[1]
    view.prefix = options.get("prefix", 1)
    # CLIP's random attention is nearly uniform; larger weights make wrong wiring visible.
    torch.nn.init.normal_(view.block.attn.in_proj_weight, std=0.2)
    a = adapter(backbone.width, **{k: v for k, v in options.items() if k != "prefix"})
    tokens = torch.randn(V, T, 6, backbone.width, dtype=torch.float64, requires_grad=True)
    text = torch.randn(V, E, dtype=torch.float64) if with_text else None
    got = a(tokens, view, text)
    plain = of_open_clip(view.block)
    expected = torch.stack(
        [naive(a, plain, tokens[v], None if text is None else text[v], **options) for v in range(V)]
    )
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    used = [p for n, p in a.named_parameters() if with_text or not n.startswith("text")]
    direction = torch.randn_like(got)
    ours = torch.autograd.grad((got * direction).sum(), [tokens, *used])
    theirs = torch.autograd.grad((expected * direction).sum(), [tokens, *used])
    for mine, naive_one in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, naive_one, rtol=1e-8, atol=1e-9)


def test_text_token_is_initialised_to_zero_by_default() -> None:
    torch.manual_seed(0)
    assert FineGrainedMultimodal(8, T, E).text.weight.count_nonzero() == 0
    drawn = FineGrainedMultimodal(8, T, E, text="random").text.weight
    assert 0.5 * E**-0.5 < drawn.abs().max() <= E**-0.5


def test_support_text_changes_support_and_never_queries(backbone: OpenClipViT) -> None:
    width = backbone.width
    backbone.adapt([adapter(width) for _ in range(backbone.depth)])
    backbone.double().eval()
    frames = torch.rand(V, T, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        plain, one, two = (
            backbone(frames, text)
            for text in (None, torch.randn(V, E).double(), torch.randn(V, E).double())
        )
    assert (plain - one).abs().max() > 1e-3
    assert (one - two).abs().max() > 1e-3
    # Each video sees its own text only.
    mixed = torch.randn(V, E, generator=torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        both = backbone(frames, mixed)
        changed = mixed.clone()
        changed[1] += 1
        torch.testing.assert_close(backbone(frames, changed)[0], both[0], rtol=1e-9, atol=1e-9)
        assert (backbone(frames, changed)[1] - both[1]).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # 768 x 192 + 192 + 192 x 768 + 768 = 295,872; TextFC 512 x 768 + 768 = 393,984.
        ({}, 3 * 295_872 + 393_984),
        ({"gta": False}, 2 * 295_872 + 393_984),
        ({"lma": False}, 2 * 295_872 + 393_984),
        ({"text": False}, 3 * 295_872),
        ({"joint_scale": 0.0}, 2 * 295_872 + 393_984),
    ],
)
def test_parameters_of_a_block_of_vit_b(options: dict[str, bool | float], expected: int) -> None:
    assert count_parameters(FineGrainedMultimodal(768, 8, 512, **options)) == expected


def test_temporal_embedding_is_added_to_every_token() -> None:
    entry = FineGrainedMultimodal(4, frames=2, text_dim=3).entry()
    assert count_parameters(entry) == 2 * 4
    with torch.no_grad():
        entry.embedding.copy_(torch.tensor([[1.0] * 4, [2.0] * 4]))
    embedded = entry(torch.zeros(1, 2, 3, 4))
    assert embedded[0, 0].eq(1).all()
    assert embedded[0, 1].eq(2).all()
