"""STRM against loops over patches, frames and tuples, in float64."""

import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from fsarbench.config.build import build_component, build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.matchers.tuple_minimum import TupleMap, TupleMinimum
from fsarbench.necks.frame_mixer import FrameMixer
from fsarbench.necks.patch_attention import PatchAttention
from tests.helpers.combinations import episode as small_episode
from tests.helpers.naive_trx import concatenated, positions, whole_map

V, T, D, SIDE = 2, 4, 6, 5
Q, N, P = 3, 4, 2


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return drawn.requires_grad_()


def away_from_start(module: nn.Module) -> nn.Module:
    """In float64, without dropout, away from initial zeros and ones that hide a wrong wire."""
    with torch.no_grad():
        for parameter in module.double().eval().parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module


def assert_equal(got: Tensor, want: Tensor, inputs: Sequence[Tensor]) -> None:
    torch.testing.assert_close(got, want, rtol=0, atol=1e-10)
    weights = draw(*got.shape, seed=9).detach()
    ours = torch.autograd.grad((got * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9)


def cells(index: int, side: int, pool: int) -> range:
    """Rows (or columns) that an adaptive pooling joins to one."""
    return range(index * side // pool, -(-(index + 1) * side // pool))


def linear(layer: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(layer, nn.Linear)
    return layer.weight @ x + layer.bias


def enriched_frame(neck: PatchAttention, patches: Tensor, pool: int) -> Tensor:
    """Feature of one frame from its patches "L C"."""
    if isinstance(neck.norm, nn.LayerNorm):
        patches = torch.stack([neck.norm(patch) for patch in patches])
    pooled = []
    for row, column in itertools.product(range(pool), range(pool)):
        rows, columns = cells(row, SIDE, pool), cells(column, SIDE, pool)
        joined = [patches[r * SIDE + c] for r in rows for c in columns]
        pooled.append(torch.stack(joined).amax(0))
    table = positions(pool * pool, D, patches)
    tokens = [patch + place for patch, place in zip(pooled, table, strict=True)]
    queries, keys, values = (
        [linear(layer, token) for token in tokens] for layer in (neck.query, neck.key, neck.value)
    )
    total = patches.new_zeros(D)
    for token, query in zip(tokens, queries, strict=True):
        weights = torch.softmax(torch.stack([query @ key for key in keys]), 0)
        mixed = sum(weight * value for weight, value in zip(weights, values, strict=True))
        token = token + neck.share[0] * mixed
        inner = linear(neck.points[0], token).clamp(min=0)
        inner = linear(neck.points[2], inner).clamp(min=0)
        total = total + token + linear(neck.points[4], inner)
    return total / (pool * pool)


@pytest.mark.parametrize(("pool", "prefix", "norm"), [(2, 1, False), (4, 0, True), (5, 0, False)])
def test_patch_level(pool: int, prefix: int, norm: bool) -> None:
    torch.manual_seed(0)
    neck = away_from_start(PatchAttention(D, prefix, pool=pool, norm=norm))
    assert isinstance(neck, PatchAttention)
    tokens = draw(V, T, prefix + SIDE * SIDE, D)
    got = neck(VideoFeatures(draw(V, T, D, seed=1), {-1: tokens}), None)
    frames = [[enriched_frame(neck, frame[prefix:], pool) for frame in video] for video in tokens]
    want = torch.stack([torch.stack(video) for video in frames])
    assert_equal(got, want, [tokens, *neck.parameters()])


def test_patches_must_form_a_square() -> None:
    features = VideoFeatures(torch.zeros(V, T, D), {-1: torch.zeros(V, T, 8, D)})
    with pytest.raises(UserError, match="8 patches, which form no square"):
        PatchAttention(D, prefix=0)(features, None)


@pytest.mark.parametrize("hidden", [None, 3])
def test_frame_level(hidden: int | None) -> None:
    torch.manual_seed(0)
    neck = away_from_start(FrameMixer(D, T, hidden, hidden))
    assert isinstance(neck, FrameMixer)
    frames = draw(V, T, D)
    made = []
    for video in frames:
        placed = video + positions(T, D, video)
        channels = []
        for channel in range(D):
            over_time = linear(neck.mix_frames[0], placed[:, channel]).clamp(min=0)
            channels.append(placed[:, channel] + linear(neck.mix_frames[2], over_time))
        mixed = torch.stack(channels, dim=1)
        inner = [linear(neck.mix_channels[0], frame).clamp(min=0) for frame in mixed]
        outer = [linear(neck.mix_channels[2], x) for x in inner]
        made.append(torch.stack([a + b for a, b in zip(mixed, outer, strict=True)]))
    assert_equal(neck(VideoFeatures(frames), None), torch.stack(made), [frames, *neck.parameters()])


def nearest_tuples(layer: TupleMap, query: Tensor, shots: Tensor) -> Tensor:
    """Mean over the tuples of a query "T D" of the distance to the nearest tuple of "P T D"."""
    weight = whole_map(layer.linear.weight, layer.size)

    def embed(joined: Tensor) -> Tensor:
        return (weight @ joined + layer.bias).clamp(min=0)

    theirs = [embed(x) for shot in shots for x in concatenated(shot, layer.size)]
    distances = []
    for joined in concatenated(query, layer.size):
        ours = embed(joined)
        distances.append(torch.stack([(ours - x).square().sum().sqrt() for x in theirs]).min())
    return sum(distances) / len(distances)


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own prototypes"])
@pytest.mark.parametrize("sizes", [(2,), (1, 3)])
def test_nearest_tuples(sizes: tuple[int, ...], own: bool) -> None:
    torch.manual_seed(0)
    matcher = away_from_start(TupleMinimum(D, sizes, hidden=5))
    assert isinstance(matcher, TupleMinimum)
    with torch.no_grad():  # two tuples of zeros have a distance without a gradient
        for layer in matcher.maps:
            layer.bias.add_(1)
    query, prototypes = draw(Q, T, D), draw(Q if own else 1, N, P, T, D, seed=1)
    rows = []
    for q, n in itertools.product(range(Q), range(N)):
        shots = prototypes[q if own else 0, n]
        per_size = [nearest_tuples(layer, query[q], shots) for layer in matcher.maps]
        rows.append(-sum(per_size) / len(sizes))
    want = torch.stack(rows).view(Q, N)
    assert_equal(matcher(query, prototypes), want, [query, prototypes, *matcher.parameters()])


def test_a_query_among_the_shots_has_distance_zero_and_finite_gradients() -> None:
    torch.manual_seed(0)
    matcher = TupleMinimum(D).eval()
    prototypes = draw(1, N, P, T, D, seed=1).float().detach().requires_grad_()
    logits = matcher(prototypes[0, 2, :1], prototypes)
    assert logits[0].argmax() == 2
    assert logits[0, 2].abs() < 1e-2
    logits.sum().backward()
    assert prototypes.grad is not None
    assert prototypes.grad.isfinite().all()


def test_the_map_can_keep_its_initial_weights() -> None:
    assert all(p.requires_grad for p in TupleMinimum(D).parameters())
    assert not any(p.requires_grad for p in TupleMinimum(D, trainable=False).parameters())
    # One map of concatenated pairs to half the width, as in the authors' code.
    assert sum(p.numel() for p in TupleMinimum(512).parameters()) == 2 * 512 * 256 + 256


@pytest.mark.parametrize("cardinalities", [(), (0,), (2, 9)])
def test_sizes_of_tuples_must_fit_a_clip(cardinalities: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="cardinalities is"):
        TupleMinimum(8, cardinalities, frames=8)


def test_the_explanation_of_a_video_by_itself_is_the_identity() -> None:
    torch.manual_seed(0)
    video = draw(1, T, D).float().detach()
    weights = TupleMinimum(D).eval().explain(video, video[:, None, None]).weights
    torch.testing.assert_close(weights, torch.eye(T)[None, None, None])


def test_the_model_adds_a_tenth_of_the_patch_level() -> None:
    config = dict(load_config("strm_synthact_1shot", ["clips.frames=4"]).values)
    config["backbone"] = {**config["backbone"], "pretrained": None}
    torch.manual_seed(0)
    model = build_model(config, 7).eval()
    outcome = model(small_episode())
    frames, patches = (outcome.of(name) for name in ("frame_level", "patch_level"))
    torch.testing.assert_close(outcome.logits, frames.logits + 0.1 * patches.logits)
    # The frame level reads what the patch level gives.
    mixer = model.branches["frame_level"].neck
    mixed = mixer(VideoFeatures(patches.query), None)
    torch.testing.assert_close(mixed, frames.query, rtol=1e-4, atol=1e-4)
    losses = model.loss(outcome, small_episode())
    for name, logits, weight in (("match", frames, 1.0), ("patches", patches, 0.1)):
        want = nn.functional.cross_entropy(logits.logits, small_episode().labels)
        torch.testing.assert_close(losses[name], weight * want)


def test_a_resnet_gives_the_patches() -> None:
    with torch.device("meta"):
        neck = build_component(
            "neck", {"type": "PatchAttention"}, {"width": 2048, "prefix": 0, "frames": 8}
        )
    # Three maps of the attention with their factor, and the three layers of the pointwise network.
    points = (2048 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 2048
    assert sum(p.numel() for p in neck.parameters()) == 3 * (2048 + 1) * 2048 + 1 + points
