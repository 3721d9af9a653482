"""TS-FSAR against loops over tokens, channels, frames and classes, in float64."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import BEFORE_BLOCKS, BranchOutcome, Episode, Outcome, VideoFeatures
from fsarbench.errors import UserError
from fsarbench.layers import TransformerLayer
from fsarbench.losses.guided_classifier import GuidedClassifier
from fsarbench.matchers.task_specific_matching import TaskSpecificMatching
from fsarbench.necks.alpha_distance import AlphaDistance
from fsarbench.necks.class_tokens import ClassTokens
from fsarbench.necks.frame_attention import FrameAttention
from fsarbench.necks.ladder_side_network import LadderSideNetwork
from tests.helpers.combinations import episode as small_episode
from tests.helpers.naive_cosine import cosine_with_term
from tests.helpers.parity import assert_equal, draw

V, T, L, C, D = 2, 3, 5, 6, 8
WIDTH, HEADS = 4, 2
N, K, Q, A = 3, 2, 4, 5
CLASSES, LABELS = [4, 0, 2], [0, 2, 1, 2]


def built(module: Any) -> Any:
    """In float64 and in training mode, away from gates, gains and biases of 0 and 1."""
    with torch.no_grad():
        for parameter in module.double().train().parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def normed(norm: nn.LayerNorm, vector: Tensor) -> Tensor:
    mean = vector.sum() / len(vector)
    variance = (vector - mean).square().sum() / len(vector)
    return (vector - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def attended(attention: Any, tokens: list[Tensor]) -> list[Tensor]:
    """Multi-head attention of a list of tokens to itself, token by token."""
    wide = len(tokens[0]) // attention.heads
    rows = []
    for token in tokens:
        mixed = []
        for head in range(attention.heads):
            part = slice(head * wide, (head + 1) * wide)
            query, keys, values = (
                [layer.weight[part] @ x + layer.bias[part] for x in rest]
                for layer, rest in (
                    (attention.query, [token]),
                    (attention.key, tokens),
                    (attention.value, tokens),
                )
            )
            scores = torch.stack([query[0] @ key / math.sqrt(wide) for key in keys]).exp()
            mixed.append(sum(s * v for s, v in zip(scores, values, strict=True)) / scores.sum())
        rows.append(attention.out.weight @ torch.cat(mixed) + attention.out.bias)
    return rows


def layered(layer: TransformerLayer, tokens: list[Tensor]) -> list[Tensor]:
    """One pre-norm layer, token by token."""
    mixed = attended(layer.attention, [normed(layer.norm1, x) for x in tokens])
    rows, wide, narrow = [], layer.feed_forward.widen, layer.feed_forward.narrow
    for token, change in zip(tokens, mixed, strict=True):
        after = token + change
        inner = wide.weight @ normed(layer.norm2, after) + wide.bias
        inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        rows.append(after + narrow.weight @ inner + narrow.bias)
    return rows


def side_tokens(neck: LadderSideNetwork, levels: dict[int, Tensor]) -> Tensor:
    """Tokens "T L c" of one video."""
    order = [BEFORE_BLOCKS, *range(len(neck.layers))]

    def reduced(rung: int, t: int, i: int) -> Tensor:
        return neck.downs[rung].weight @ normed(neck.norms[rung], levels[order[rung]][t, i])

    grid = {(t, i): reduced(0, t, i) for t in range(T) for i in range(L)}
    for index, layer in enumerate(neck.layers):
        groups = [[(t, i) for i in range(L)] for t in range(T)]
        if index in neck.temporal:
            groups = [[(t, i) for t in range(T)] for i in range(L)]
        gate = 1 / (1 + (-neck.gates[index] / neck.gate_temperature).exp())
        changed = {}
        for places in groups:
            made = layered(layer, [grid[place] for place in places])
            for place, row in zip(places, made, strict=True):
                changed[place] = gate * row + (1 - gate) * reduced(index + 1, *place)
        grid = changed
    return torch.stack([torch.stack([grid[t, i] for i in range(L)]) for t in range(T)])


def test_side_network() -> None:
    torch.manual_seed(0)
    neck = built(LadderSideNetwork(C, D, 3, WIDTH, HEADS, 2, (1, -1), 0.5))
    assert neck.temporal == {1, 2}
    levels = {level: draw(V, T, L, C, seed=level + 2000) for level in neck.levels}
    assert list(levels) == [BEFORE_BLOCKS, 0, 1, 2]
    frames = draw(V, T, D)
    got = neck(VideoFeatures(frames, levels), None)
    want = [side_tokens(neck, {k: x[v] for k, x in levels.items()}) for v in range(V)]
    assert got.frames is frames
    assert_equal([got.tokens], [torch.stack(want)], [*levels.values(), *neck.parameters()])


def frame_matrix(tokens: Tensor, prefix: int, alpha: float, eps: float) -> Tensor:
    """Upper triangle of the doubly centred matrix of a frame "L C", channel by channel."""
    patches = [cosine_with_term(tokens[0], patch) * patch for patch in tokens[prefix:]]
    channels = torch.stack(patches, 1)
    size, count = channels.shape
    powers = {}
    for c in range(size):
        for d in range(size):
            squared = (channels[c] - channels[d]).square().sum() / (2 * count)
            powers[c, d] = (squared + eps) ** (alpha / 2)
    rows = [sum(powers[c, d] for d in range(size)) / size for c in range(size)]
    whole = sum(rows) / size
    entries = [
        powers[c, d] - rows[c] - rows[d] + whole for c in range(size) for d in range(c, size)
    ]
    return torch.stack(entries)


@pytest.mark.parametrize(("prefix", "alpha"), [(1, 0.8), (2, 1.0), (1, 2.0)])
def test_alpha_distance_matrices(prefix: int, alpha: float) -> None:
    neck, eps = AlphaDistance(C, prefix, alpha, 1e-3), 1e-3
    tokens = draw(V, T, L, C)
    got = neck(VideoFeatures(draw(V, T, D), {-1: tokens}), None)
    want = [
        torch.stack([torch.cat([frame_matrix(f, prefix, alpha, eps), f[0]]) for f in video])
        for video in tokens
    ]
    assert got.shape[-1] == neck.dim
    assert_equal([got], [torch.stack(want)], [tokens])


def test_with_a_power_of_two_the_correlation_is_that_of_covariances() -> None:
    tokens = draw(V, T, L, C).detach()
    got = AlphaDistance(C, 1, 2.0, 1e-12)(VideoFeatures(draw(V, T, D), {-1: tokens}), None)
    weights = F.cosine_similarity(tokens[:, :, :1], tokens[:, :, 1:], dim=-1)
    rows = (weights.unsqueeze(-1) * tokens[:, :, 1:]).transpose(-1, -2)
    centred = rows - rows.mean(-2, keepdim=True)
    products = -centred @ centred.transpose(-1, -2) / (L - 1)
    first, second = torch.triu_indices(C, C)
    torch.testing.assert_close(got[..., :-C], products[..., first, second], rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e8])
def test_gradients_of_equal_and_of_very_different_channels_are_finite(scale: float) -> None:
    tokens = (scale * torch.randn(V, T, L, C)).requires_grad_()
    features = AlphaDistance(C, 1)(VideoFeatures(torch.zeros(V, T, D), {-1: tokens}), None)
    matcher = TaskSpecificMatching(features.shape[-1], T, C)
    prototypes = features[:1, None, None].detach().requires_grad_()
    matcher(features, prototypes).square().sum().backward()
    for gradient in (tokens.grad, prototypes.grad, matcher.generator.weight.grad):
        assert gradient is not None
        assert gradient.isfinite().all()


def test_matrices_keep_their_precision_under_autocast() -> None:
    features = VideoFeatures(torch.zeros(V, T, D), {-1: 10 + torch.randn(V, T, L, C)})
    neck = AlphaDistance(C, 1)
    plain = neck(features, None)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = neck(features, None)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain)


def test_attention_over_frames_and_class_tokens() -> None:
    torch.manual_seed(0)
    adapter, tokens = built(FrameAttention(D, HEADS, 1.6)), built(ClassTokens(C, 1, D))
    frames, levels = draw(V, T, D), draw(V, T, L, C, seed=1)
    features = VideoFeatures(frames, {-1: levels})
    want = []
    for video in frames:
        mixed = attended(adapter.attention, [normed(adapter.norm, x) for x in video])
        want.append(
            torch.stack([0.4 * x + 1.6 * change for x, change in zip(video, mixed, strict=True)])
        )
    assert_equal([adapter(features, None)], [torch.stack(want)], [frames, *adapter.parameters()])
    rows = [
        torch.stack([tokens.project.weight @ normed(tokens.norm, frame[0]) for frame in video])
        for video in levels
    ]
    assert_equal([tokens(features, None)], [torch.stack(rows)], [levels, *tokens.parameters()])


@pytest.mark.parametrize(("token_width", "own"), [(2, False), (0, False), (2, True)])
def test_matching(token_width: int, own: bool) -> None:
    torch.manual_seed(0)
    matcher = built(TaskSpecificMatching(D, T, token_width, 0.01))
    count = 2
    query, prototypes = draw(Q, T, D), draw(Q if own else 1, N, count, T, D, seed=1)
    split = D - token_width if token_width else 0
    end = split or D
    scores = []
    for q in range(Q):
        mine = prototypes[q if own else 0]
        task = sum(mine[n, p, s, split:] for n in range(N) for p in range(count) for s in range(T))
        token = task / (N * count * T) + sum(frame[split:] for frame in query[q]) / T
        weights = matcher.generator.weight @ token
        row = []
        for n in range(N):
            terms = [
                weights[T * t + s] * cosine_with_term(query[q, t, :end], mine[n, p, s, :end], 0.01)
                for p in range(count)
                for t in range(T)
                for s in range(T)
            ]
            row.append(sum(terms) / count)
        scores.append(torch.stack(row))
    got = matcher(query, prototypes)
    assert_equal([got], [torch.stack(scores)], [query, prototypes, *matcher.parameters()])
    explanation = matcher.explain(query, prototypes)
    assert explanation.weights is not None
    assert (explanation.weights >= 0).all()
    assert explanation.similarity.shape == (Q, N, count, T, T)


def task(guide: str | None) -> tuple[Outcome, Episode]:
    """Outcome with a branch `clip` whose width is that of the text."""
    support, query = draw(N, K, T, D, seed=1), draw(Q, T, D, seed=2)
    wide = D if guide is None else C
    clip = BranchOutcome(draw(Q, N), draw(N, K, T, wide, seed=3), draw(Q, T, wide, seed=4))
    episode = Episode(
        support=torch.zeros(N, K, T, 3, 2, 2),
        query=torch.zeros(Q, T, 3, 2, 2),
        labels=torch.tensor(LABELS),
        classes=torch.tensor(CLASSES),
        bank=draw(A, 2, wide, seed=5),
    )
    return Outcome(draw(Q, N), support, query, branches={"clip": clip}), episode


@pytest.mark.parametrize("guide", ["clip", None])
def test_guided_classifier(guide: str | None) -> None:
    torch.manual_seed(0)
    loss = built(GuidedClassifier(D, A, 2.0, guide, 0.7, (4.0, 0.2), token_width=3))
    outcome, episode = task(guide)
    source = outcome.branches["clip"] if guide else outcome
    numbers = [(n, k) for n in range(N) for k in range(K)]
    videos = [(outcome.support[i], source.support[i], CLASSES[i[0]]) for i in numbers]
    videos += [(outcome.query[q], source.query[q], CLASSES[LABELS[q]]) for q in range(Q)]
    assert episode.bank is not None
    total = torch.zeros((), dtype=torch.float64)
    for video, guiding, label in videos:
        mean = sum(frame[: D - 3] for frame in video) / T
        logits = torch.stack([weight @ mean for weight in loss.classifier.weight])
        total = total + logits.exp().sum().log() - logits[label]
        texts = [sum(sentences) / 2 for sentences in episode.bank]
        cosines = [cosine_with_term(sum(guiding) / T, text) / 0.2 for text in texts]
        target = torch.stack(cosines).exp() / torch.stack(cosines).exp().sum()
        soft = (logits / 4).exp() / (logits / 4).exp().sum()
        total = total + 0.7 * 16 * sum(p * (p / q).log() for p, q in zip(target, soft, strict=True))
    inputs = [outcome.support, outcome.query, *loss.parameters()]
    if guide:
        inputs += [source.support, source.query]
    assert_equal([loss(outcome, episode)[None]], [total[None] / len(videos)], inputs)


def small_model(*changes: str) -> Any:
    config = dict(load_config("tsfsar_synthact_1shot", ["clips.frames=4", *changes]).values)
    config["backbone"] = {**config["backbone"], "pretrained": None}
    config["text_encoder"] = {**config["text_encoder"], "pretrained": None}
    torch.manual_seed(0)
    return build_model(config, 3)


def test_the_product_of_powers_is_the_softmax_of_the_fused_logits() -> None:
    model = small_model().eval()
    seen = model(small_episode())
    product = torch.ones_like(seen.logits)
    for name, exponent in (("match", 0.8), ("clip", 0.05), ("side", 0.15)):
        assert model.branches[name].weight == exponent
        product = product * seen.of(name).logits.softmax(-1) ** exponent
    torch.testing.assert_close(model.scores(seen), product / product.sum(-1, keepdim=True))


def test_text_branches_compare_the_mean_frame_with_the_text_of_the_class() -> None:
    seen = small_model().eval()(small_episode())
    for name in ("clip", "side"):
        branch = seen.of(name)
        for q, n in ((0, 0), (3, 2)):
            cosine = cosine_with_term(branch.query[q].mean(0), seen.text[n, 0])
            torch.testing.assert_close(branch.logits[q, n], 50 * cosine, rtol=1e-4, atol=1e-4)


def test_training_needs_no_gradient_of_the_trunk() -> None:
    model = small_model().train()
    needs: list[bool] = []

    def note(module: nn.Module, given: Any, made: Any) -> None:
        del module, given
        made = [*made.tokens.values(), made.frames] if isinstance(made, VideoFeatures) else [made]
        needs.extend(x.requires_grad for x in made if isinstance(x, Tensor))

    for module in model.backbone.modules():
        module.register_forward_hook(note)
    task = small_episode()
    bank = model.text_encoder(task.names)
    task = Episode(task.support, task.query, task.labels, task.classes, task.names, None, bank)
    losses = model.loss(model(task), task)
    assert set(losses) == {"match", "guided", "clip_text", "side_text"}
    sum(losses.values()).backward()
    assert len(needs) > 10
    assert not any(needs)
    for name, parameter in [*model.neck.named_parameters(), *model.branches.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UserError, match=r"temporal is \[6\], expected layers from 0 to 3"):
        LadderSideNetwork(C, D, 4, WIDTH, HEADS, temporal=(6,))
    for neck in (AlphaDistance, ClassTokens):
        with pytest.raises(UserError, match=f"{neck.__name__} reads the class token, and"):
            neck(C, 0, *([D] if neck is ClassTokens else []))
    for component in (TaskSpecificMatching, GuidedClassifier):
        with pytest.raises(UserError, match="token_width is 8, expected less than the feature"):
            component(D, T, token_width=D)
    outcome, episode = task("clip")
    with pytest.raises(UserError, match="guide is 'text', expected one of the branches clip"):
        GuidedClassifier(D, A, guide="text").double()(outcome, episode)
    without = Episode(episode.support, episode.query, episode.labels, episode.classes)
    with pytest.raises(UserError, match="GuidedClassifier compares videos with the text of all"):
        GuidedClassifier(D, A, guide="clip").double()(outcome, without)
