"""FLOPs of adapters, matchers and single operations equal formulas in multiply-adds (MACs)."""

from collections.abc import Callable
from math import comb

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.backbones.openclip_vit import OpenClipViT
from fsarbench.catalogue.cards import cards
from fsarbench.config.build import adapt
from fsarbench.matchers.otam import OTAM
from fsarbench.matchers.trx import TRX
from fsarbench.profiling.episode_flops import count_operations
from fsarbench.profiling.flop_counter import FlopCounter, is_negligible, unfused_attention
from fsarbench.prototypes.text_guided import TextGuided

V, T, L, C, H = 3, 8, 50, 768, 192
TOKENS = V * T * L
BOTTLENECK = TOKENS * 2 * C * H


def attend(sequences: int, length: int) -> int:
    """MACs of self-attention: four projections, queries with keys, weights with values."""
    return sequences * (4 * length * C**2 + 2 * length**2 * C)


def deformable(points: int, kernel: int) -> int:
    """Queries, keys, values, output, two products of queries and points, and the offsets."""
    projections = (2 * TOKENS + 2 * V * points) * H**2
    return projections + 2 * TOKENS * points * H + V * points * H * (kernel + 3)


MLP = TOKENS * 8 * C**2
BLOCK = attend(V * T, L) + MLP
PLAIN = ("Frozen", "FullFineTuning", "PartialFineTuning", "NormTuning", "BiasTuning")
BY_HAND = {
    **dict.fromkeys(PLAIN, BLOCK),
    "AdaptFormer": BLOCK + TOKENS * 2 * C * 64,
    "AIM": attend(V * L, T) + BLOCK + 3 * BOTTLENECK,
    # Two depth-wise convolutions over three frames of the patches, between layers of 384 channels.
    "STAdapter": BLOCK + 2 * V * T * (L - 1) * (2 * C * 384 + 3 * 384),
    # Four heads share a depth-wise offset network; it and the map to three offsets touch H numbers
    # per point. 2 x 2 x 2 and 8 x 2 x 2 points in 8 frames of 7 x 7 patches.
    "D2STAdapter": BLOCK
    + BOTTLENECK
    + V * T * (L - 1) * 27 * H
    + deformable(points=8, kernel=4 * 3 * 3)
    + deformable(points=32, kernel=3 * 3),
    # Two adapters with two depth-wise kernels of five frames each.
    "DiA": BLOCK + 2 * (BOTTLENECK + 2 * TOKENS * 5 * H),
    "LoRA": BLOCK + 2 * 8 * C**2,
    "VisualPrompts": attend(V * T, L + 10) + V * T * (L + 10) * 8 * C**2,
    "TaskAdapter": attend(V * L, T) + attend(T * L, V) + BLOCK + 4 * BOTTLENECK,
    # Class tokens over time, TextFC, two more tokens in the attention, and the adapters of LMA and
    # parallel to the MLP; the adapter of GTA has one token per frame.
    "FineGrainedMultimodal": attend(V, T)
    + V * T * 2 * C * H
    + V * 512 * C
    + attend(V * T, L + 2)
    + MLP
    + 2 * BOTTLENECK,
}


def test_every_adapter_has_a_formula() -> None:
    assert set(BY_HAND) == {card.name for card in cards() if card.slot == "adapter"}


@pytest.fixture(scope="module")
def vit() -> OpenClipViT:
    with torch.device("meta"):
        return OpenClipViT("ViT-B-32")


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("adapter", BY_HAND)
def test_flops_of_an_adapted_block(vit: OpenClipViT, adapter: str, training: bool) -> None:
    sizes = {
        "width": C,
        "prefix": 1,
        "grid": 7,
        "mlp_width": 4 * C,
        "block_count": 12,
        "frames": T,
        "text_dim": 512,
    }
    with torch.device("meta"):
        adapt(vit, {"type": adapter}, sizes)
        tokens, text = torch.empty(V, T, L, C), torch.empty(V, 512)
        vit.train(training)
        last = vit.adapters[-1]
        counter = count_operations(lambda: last(tokens, vit.trunk.blocks[-1], text))
    assert counter.total == 2 * BY_HAND[adapter]
    assert not counter.not_counted


WAY, QUERIES, D = 5, 7, 64


def test_otam_has_one_scalar_product_per_pair_of_frames() -> None:
    features = torch.empty(QUERIES, T, D), torch.empty(1, WAY, 1, T, D)
    counter = count_operations(lambda: OTAM()(*(f.to("meta") for f in features)))
    assert counter.total == 2 * QUERIES * WAY * T * T * D
    assert not counter.not_counted


def trx_by_hand(size: int, width: int) -> int:
    """MACs of TRX without concatenated tuples; see `fsarbench.functional.tuples`."""
    tuples, cells = comb(T, size), size * T
    maps = 2 * (QUERIES + WAY) * T * D * size * width
    pairs = QUERIES * WAY
    # Products of keys and of values; norms of all keys and of the values of the queries.
    products = 2 * pairs * (cells**2 * width + tuples * cells**2)
    norms = (2 * QUERIES + WAY) * (cells**2 * width + tuples * cells**2)
    shift = WAY * cells * width
    weights = 2 * pairs * tuples**2 * cells
    among = WAY * cells**2 * width + pairs * tuples * cells**2
    return maps + products + norms + shift + weights + among


def test_flops_of_trx() -> None:
    with torch.device("meta"):
        matcher = TRX(D, cardinalities=(2, 3), key_dim=16).eval()
        features = torch.empty(QUERIES, T, D), torch.empty(1, WAY, 1, T, D)
    counter = count_operations(lambda: matcher(*features))
    assert counter.total == 2 * (trx_by_hand(2, 16) + trx_by_hand(3, 16))
    assert not counter.not_counted


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_flops_of_text_guided_prototypes(training: bool) -> None:
    hidden = 4 * D

    def layer(sequences: int, length: int, context: int) -> int:
        maps = sequences * (2 * length + 2 * context) * D**2
        return maps + sequences * 2 * length * (context * D + D * hidden)

    with torch.device("meta"):
        module = TextGuided(D).train(training)
        support, query = torch.empty(WAY, 3, T, D), torch.empty(QUERIES, T, D)
        text = torch.empty(WAY, 1, D)
    counter = count_operations(lambda: module(support, query, text))
    assert counter.total == 2 * (layer(WAY, T, T + 1) + layer(QUERIES, T, T))


def test_backward_separates_gradients_of_weights_from_those_of_activations() -> None:
    first, frozen, last = nn.Linear(3, 5), nn.Linear(5, 7), nn.Linear(7, 2)
    frozen.requires_grad_(False)
    rows = 11
    loss = last(frozen(first(torch.ones(rows, 3)))).sum()
    with FlopCounter() as counter:
        loss.backward()
    assert counter.weights == 2 * rows * (3 * 5 + 7 * 2)
    # No gradients of activations are needed below the first trainable layer.
    assert counter.total - counter.weights == 2 * rows * (5 * 7 + 7 * 2)


def test_a_forward_pass_has_no_flops_for_gradients() -> None:
    with FlopCounter() as counter:
        nn.Linear(3, 5)(torch.ones(2, 3))
    assert (counter.total, counter.weights) == (60, 0)


def test_attention_has_the_same_flops_on_the_cpu_and_the_meta_device() -> None:
    shape = 2, 4, 9, 8

    def flops(device: str) -> int:
        query = torch.ones(shape, device=device)
        return count_operations(lambda: F.scaled_dot_product_attention(query, query, query)).total

    assert flops("cpu") == flops("meta") == 2 * 2 * 4 * 2 * 9**2 * 8


def test_fused_attention_in_evaluation_mode_is_counted() -> None:
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    tokens = torch.ones(3, 5, 8)
    counter = count_operations(lambda: layer(tokens, tokens, tokens, need_weights=False))
    assert counter.total == 2 * 3 * (4 * 5 * 8**2 + 2 * 5**2 * 8)


@torch.library.custom_op("fsarbench_test::hidden_product", mutates_args=())
def hidden_product(left: Tensor, right: Tensor) -> Tensor:
    return left @ right


@hidden_product.register_fake
def _(left: Tensor, right: Tensor) -> Tensor:
    return left.new_empty(left.shape[0], right.shape[1])


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_an_operation_without_a_formula_is_listed(device: str) -> None:
    matrix = torch.ones(4, 4, device=device)
    counter = count_operations(lambda: hidden_product(matrix, matrix))
    assert list(counter.not_counted) == ["fsarbench_test.hidden_product"]


@pytest.mark.parametrize(
    "run",
    [
        lambda m: torch.cdist(m, m, compute_mode="donot_use_mm_for_euclid_dist"),
        torch.linalg.cholesky,
        lambda m: torch.fft.fft(m),
    ],
    ids=["cdist", "cholesky", "fft"],
)
def test_so_is_what_torch_itself_counts_as_nothing(run: Callable[[Tensor], Tensor]) -> None:
    assert count_operations(lambda: run(torch.eye(4))).not_counted


def test_nothing_is_left_hooked_to_modules() -> None:
    """Some operations are taken apart, and their parts counted in the same mode."""
    hooks = torch.nn.modules.module
    before = len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).to("meta").eval()
    counter = count_operations(lambda: model(torch.empty(1, 3, 8, 8, device="meta")), model)
    assert (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)) == before
    assert counter.slots == {"0": counter.total}


def test_what_only_touches_each_number_is_cheap() -> None:
    aten = torch.ops.aten
    cheap = aten.add.Tensor, aten.relu_.default, aten.view.default, aten.native_layer_norm.default
    assert all(map(is_negligible, cheap))
    assert not any(map(is_negligible, (aten.mm.default, aten._cdist_forward.default)))


def test_the_fast_path_of_attention_is_restored() -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    with unfused_attention():
        assert not torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mha.get_fastpath_enabled() == before


def test_flops_of_solving_linear_equations() -> None:
    with FlopCounter() as counter:
        torch.linalg.solve(torch.eye(6).expand(2, -1, -1), torch.ones(2, 6, 3))
    assert counter.total == 2 * (2 * 6**3 // 3 + 2 * 6**2 * 3)
    assert not counter.not_counted
