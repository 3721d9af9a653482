"""MoLo against loops over frames, cells and pixels, in float64."""

import itertools
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import Episode, Outcome, VideoFeatures
from fsarbench.errors import UserError
from fsarbench.losses.long_short_contrast import LongShortContrast
from fsarbench.losses.reconstruction import Reconstruction
from fsarbench.necks.long_short import LongShort
from fsarbench.necks.motion_differences import MotionDifferences
from tests.helpers.combinations import episode as small_episode
from tests.helpers.naive_cosine import cosine_with_term
from tests.helpers.naive_fusion import attended, ready
from tests.helpers.parity import assert_equal, draw

V, T, D, SIDE, HEADS = 2, 3, 4, 2, 2
N, K, Q = 3, 2, 4
LABELS = [0, 2, 1, 2]


def long_short(neck: LongShort, video: Tensor, scale: float, place: float) -> Tensor:
    """Class token and frames of a video "S D"."""
    rows = []
    for step, row in enumerate([neck.token[0], *video]):
        angles = [step / 10_000 ** (2 * i / D) for i in range(D)]
        sines = [math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)]
        rows.append(scale * row + place * torch.tensor(sines, dtype=torch.float64))
    steps = torch.stack(rows)
    for layer in neck.layers:
        steps = attended(layer, steps)
    return steps.clamp(min=0)


@pytest.mark.parametrize(("scales", "depth"), [((None, 1.0), 1), ((1.0, 0.01), 2)])
def test_long_and_short_features(scales: tuple[float | None, float], depth: int) -> None:
    torch.manual_seed(0)
    neck = ready(LongShort(D, HEADS, 5, depth, None, *scales))
    frames = draw(V, T, D)
    got, further = neck(VideoFeatures(frames), None)
    scale = math.sqrt(D / 10) if scales[0] is None else scales[0]
    want = torch.stack([long_short(neck, video, scale, scales[1]) for video in frames])
    outputs = [got, further["token"]], [want[:, 1:], want[:, 0]]
    assert_equal(*outputs, [frames, *neck.parameters()])
    alone = neck.eval()(VideoFeatures(frames), None)
    torch.testing.assert_close(alone, want[:, 1:], rtol=0, atol=1e-9)


def convolved(weight: Tensor, bias: Tensor | None, maps: Tensor) -> Tensor:
    """Map "c h w" after a convolution with zeros around it, cell by cell."""
    reach = weight.shape[-1] // 2
    height, width = maps.shape[-2:]
    rows = []
    for y, x in itertools.product(range(height), range(width)):
        total = maps.new_zeros(len(weight)) if bias is None else bias
        for i, j in itertools.product(range(-reach, reach + 1), repeat=2):
            if 0 <= y + i < height and 0 <= x + j < width:
                total = total + weight[:, :, i + reach, j + reach] @ maps[:, y + i, x + j]
        rows.append(total)
    return torch.stack(rows, 1).unflatten(1, (height, width))


def reduced_maps(neck: MotionDifferences, video: Tensor) -> list[Tensor]:
    """Reduced map of every frame of "T C h w"."""
    weight, bias = neck.reduce.weight, neck.reduce.bias
    return [
        bias[:, None, None]
        + sum(
            convolved(weight[:, :, step + 1], None, video[t + step])
            for step in (-1, 0, 1)
            if 0 <= t + step < len(video)
        )
        for t in range(len(video))
    ]


def enlarged(maps: Tensor, factor: int) -> Tensor:
    """Bilinear enlargement of "c h w" whose corners stay in place."""
    side = maps.shape[-1]
    rows = []
    for y, x in itertools.product(range(side * factor), repeat=2):
        places = [i * (side - 1) / max(side * factor - 1, 1) for i in (y, x)]
        low = [min(int(place), side - 2) for place in places]
        down, right = (place - i for place, i in zip(places, low, strict=True))
        top = (1 - right) * maps[:, low[0], low[1]] + right * maps[:, low[0], low[1] + 1]
        base = (1 - right) * maps[:, low[0] + 1, low[1]] + right * maps[:, low[0] + 1, low[1] + 1]
        rows.append((1 - down) * top + down * base)
    return torch.stack(rows, 1).unflatten(1, (side * factor, side * factor))


def reready(neck: MotionDifferences, motion: list[Tensor], factors: Sequence[int]) -> Tensor:
    """Differences of frames from all motions of a call."""
    layers = list(neck.decoder)
    for number, factor in enumerate(factors):
        _, conv, norm, _ = layers[4 * number : 4 * number + 4]
        motion = [convolved(conv.weight, None, enlarged(maps, factor)) for maps in motion]
        values = torch.stack(motion)
        mean, variance = values.mean((0, 2, 3)), values.var((0, 2, 3), unbiased=False)
        gain = norm.weight / (variance + norm.eps).sqrt()
        shift = norm.bias - mean * gain
        motion = [(m * gain[:, None, None] + shift[:, None, None]).clamp(min=0) for m in motion]
    return torch.stack([convolved(layers[-1].weight, layers[-1].bias, m) for m in motion])


@pytest.mark.parametrize("prefix", [0, 1])
def test_motion_and_its_reconstruction(prefix: int) -> None:
    torch.manual_seed(0)
    factors = (1, 2, 1)
    neck = ready(MotionDifferences(D, prefix, -1, 2, HEADS, 5, factors))
    tokens = draw(V, T, prefix + SIDE * SIDE, D)
    features = VideoFeatures(draw(V, T, D, seed=1), {-1: tokens})
    got, further = neck(features, None)
    videos, motions = [], []
    for video in tokens:
        maps = video[:, prefix:].unflatten(1, (SIDE, SIDE)).permute(0, 3, 1, 2)
        reduced = reduced_maps(neck, maps)
        motion = [
            convolved(neck.follow.weight, neck.follow.bias, after) - before
            for before, after in itertools.pairwise(reduced)
        ]
        wide = [convolved(neck.widen.weight, neck.widen.bias, m).clamp(min=0) for m in motion]
        steps = torch.stack([m.flatten(1).mean(1) for m in wide])
        videos.append(long_short(neck.encoder, steps, math.sqrt(D / 10), 1.0))
        motions += motion
    want = torch.stack(videos)
    decoded = reready(neck, motions, factors).unflatten(0, (V, T - 1))
    assert further["reconstruction"].shape == (V, neck.output_frames(T), 3, 4, 4)
    assert_equal(
        [got, further["token"], further["reconstruction"]],
        [want[:, 1:], want[:, 0], decoded],
        [tokens, *neck.parameters()],
    )
    torch.testing.assert_close(neck.eval()(features, None), want[:, 1:], rtol=0, atol=1e-9)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UserError, match="reduction is 9, expected at most the token width 8"):
        MotionDifferences(8, 0, reduction=9)
    with pytest.raises(UserError, match=r"enlarge is \[2, 4\], expected 3 factors"):
        MotionDifferences(8, 0, enlarge=(2, 4))
    features = VideoFeatures(torch.zeros(V, T, 8), {-1: torch.zeros(V, T, 5, 8)})
    with pytest.raises(UserError, match="5 patches, which form no square"):
        MotionDifferences(8, 0, hidden=8)(features, None)


def episode(frames: Tensor) -> Episode:
    """Episode with frames of all videos, "V T 3 H W"."""
    support, query = frames.split([N * K, Q])
    classes = torch.arange(N)
    return Episode(support.unflatten(0, (N, K)), query, torch.tensor(LABELS), classes)


def outcome(auxiliary: dict[str, Tensor]) -> Outcome:
    support, query = draw(N, K, T, D, seed=1), draw(Q, T, D, seed=2)
    return Outcome(draw(Q, N), support, query, auxiliary=auxiliary)


@pytest.mark.parametrize("name", ["token", None])
def test_contrast(name: str | None) -> None:
    token = draw(N * K + Q, D, seed=3)
    seen = outcome({"token": token})
    loss = LongShortContrast(scale=1.5, auxiliary=name).double()
    frames = [sum(seen.support[n]) / K for n in range(N)]
    if name:
        classes = [sum(token[n * K : (n + 1) * K]) / K for n in range(N)]
        queries = list(token[N * K :])
    else:
        classes, queries = [sum(x) / T for x in frames], [sum(x) / T for x in seen.query]
    total = torch.zeros((), dtype=torch.float64)
    for q, label in enumerate(LABELS):
        for pairs in (
            [(frames[n], queries[q]) for n in range(N)],
            [(seen.query[q], classes[n]) for n in range(N)],
        ):
            distances = [sum(1 - cosine_with_term(x, g, 0.01) for x in video) for video, g in pairs]
            scores = -loss.scale * torch.stack(distances)
            total = total + scores.exp().sum().log() - scores[label]
    inputs = [seen.support, seen.query, loss.scale, *([token] if name else [])]
    got = loss(seen, episode(torch.zeros(N * K + Q, T, 3, 1, 1)))
    assert_equal([got[None]], [total[None] / Q], inputs)


def test_the_scale_of_the_contrast_can_be_fixed() -> None:
    assert not LongShortContrast(learnable=False).scale.requires_grad
    with pytest.raises(UserError, match=r"auxiliary is 'token', expected .*there are: none"):
        LongShortContrast(auxiliary="token")(outcome({}), episode(torch.zeros(10, T, 3, 1, 1)))


@pytest.mark.parametrize("integers", [True, False])
def test_reconstruction(integers: bool) -> None:
    pixels = torch.randint(0, 256, (N * K + Q, T, 3, 2, 2), dtype=torch.uint8)
    frames = pixels if integers else pixels.double() / 255
    guess, std = draw(N * K + Q, T - 1, 3, 2, 2), (0.5, 0.25, 0.2)
    errors = []
    for video, step, channel in itertools.product(range(N * K + Q), range(T - 1), range(3)):
        first, second = (pixels[video, step + i, channel].double() / 255 for i in (0, 1))
        rebuilt_cells = guess[video, step, channel]
        errors.append((rebuilt_cells - (second - first) / std[channel]).square())
    want = torch.stack(errors).sum() / guess.numel()
    got = Reconstruction(std=std)(outcome({"reconstruction": guess}), episode(frames))
    torch.testing.assert_close(got.double(), want, rtol=1e-5 if integers else 1e-12, atol=0)
    ours, theirs = (torch.autograd.grad(x, guess)[0] for x in (got, want))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7 if integers else 1e-12)


def test_a_reconstruction_of_another_size_is_refused() -> None:
    guess = draw(N * K + Q, T - 1, 3, 4, 4)
    task = episode(torch.zeros(N * K + Q, T, 3, 2, 2))
    with pytest.raises(UserError, match=r"rebuilds \[2, 3, 4, 4\], .* \[2, 3, 2, 2\].*enlarge"):
        Reconstruction()(outcome({"reconstruction": guess}), task)
    with pytest.raises(UserError, match="auxiliary is 'reconstruction', expected"):
        Reconstruction()(outcome({}), task)


def test_the_model_adds_three_tenths_of_the_motion() -> None:
    config = dict(load_config("molo_synthact_1shot", ["clips.frames=4"]).values)
    config["backbone"] = {**config["backbone"], "pretrained": None}
    torch.manual_seed(0)
    model = build_model(config, 7)
    seen = model.eval()(small_episode())
    appearance, motion = (seen.of(name) for name in ("appearance", "motion"))
    torch.testing.assert_close(seen.logits, appearance.logits + 0.3 * motion.logits)
    assert (appearance.query.shape[1], motion.query.shape[1]) == (4, 3)
    assert not appearance.auxiliary
    losses = model.loss(model.train()(small_episode()), small_episode())
    assert set(losses) == {"match", "contrast", "motion_contrast", "reconstruction"}
    sum(losses.values()).backward()
    for name, parameter in model.branches.named_parameters():
        assert parameter.grad is not None, name
