"""HyRSM as its released code computes it, written naively in float64.

Differences from the plain component: the positional encoding, and no bias of query, key and value.
"""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.layers import MultiHeadAttention, squared_frequencies
from fsarbench.losses.frame_classifier import FrameClassifier
from fsarbench.matchers.bi_mhm import BiMHM
from fsarbench.prototypes.hybrid_relation import HybridRelation
from tests.helpers.naive_cosine import cosines_with_term

N, K, Q, T, D, M = 3, 2, 3, 4, 8, 6
CLASSES, LABELS = [4, 0, 5], [1, 0, 2]


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


# Defaults of the released code, and its configs for Kinetics-100.
SCALES = [(math.sqrt(D / 10), 1.0), (1.0, 0.01)]


def build(scales: tuple[float, float]) -> HybridRelation:
    torch.manual_seed(0)
    options = (
        {} if scales == SCALES[0] else {"feature_scale": scales[0], "position_scale": scales[1]}
    )
    builder = HybridRelation(D, heads=2, as_released=True, **options).double().eval()
    with torch.no_grad():  # away from norms of 1, which would hide a wrong wire
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def positions(frames: int, dim: int) -> Tensor:
    """Sines and cosines, feature by feature."""
    table = torch.zeros(frames, dim, dtype=torch.float64)
    for step in range(frames):
        for feature in range(dim):
            angle = step / 10_000 ** (2 * feature / dim)
            table[step, feature] = math.cos(angle) if feature % 2 else math.sin(angle)
    return table


def attended(attention: MultiHeadAttention, tokens: Tensor) -> Tensor:
    """Self-attention of tokens "L D" with two heads."""
    mixed = []
    for half in (slice(0, D // 2), slice(D // 2, D)):
        query, key, value = (
            tokens @ linear.weight[half].T
            for linear in (attention.query, attention.key, attention.value)
        )
        mixed.append(torch.softmax(query @ key.T / (D // 2) ** 0.5, -1) @ value)
    return torch.cat(mixed, -1) @ attention.out.weight.T + attention.out.bias


def inside(builder: HybridRelation, scales: tuple[float, float], video: Tensor) -> Tensor:
    """Frames of one video "T D" after attention to each other."""
    video = video * scales[0] + scales[1] * positions(T, D)
    norm = builder.norm_within
    return torch.relu(
        video + attended(builder.within, F.layer_norm(video, (D,), norm.weight, norm.bias))
    )


def naive_logits(
    builder: HybridRelation, scales: tuple[float, float], support: Tensor, query: Tensor
) -> Tensor:
    """Negative Bi-MHM distance of every query with its own prototypes, pair by pair."""
    whole = torch.cat([builder.frame.weight, builder.context.weight], dim=1)
    classes = [sum(inside(builder, scales, shot) for shot in shots) / K for shots in support]
    norm, rows = builder.norm_between, []
    for video in query:
        videos = [*classes, inside(builder, scales, video)]
        tokens = torch.stack([sum(frames) / T for frames in videos])
        mixed = tokens + attended(builder.between, tokens)
        contexts = torch.relu(F.layer_norm(mixed, (D,), norm.weight, norm.bias))
        *prototypes, matched = [
            torch.cat([frames, context.expand(T, D)], -1) @ whole.T + builder.frame.bias
            for frames, context in zip(videos, contexts, strict=True)
        ]
        for prototype in prototypes:
            distances = 1 - cosines_with_term(matched, prototype)
            rows.append(-distances.amin(0).sum() - distances.amin(1).sum())
    return torch.stack(rows).view(Q, N)


@pytest.mark.parametrize("scales", SCALES)
def test_logits_equal_the_naive_form_in_value_and_gradient(scales: tuple[float, float]) -> None:
    builder = build(scales)
    support, query = draw(N, K, T, D).requires_grad_(), draw(Q, T, D, seed=1).requires_grad_()
    prototypes, matched = builder(support, query, None)
    logits, want = BiMHM()(matched, prototypes), naive_logits(builder, scales, support, query)
    torch.testing.assert_close(logits, want, rtol=0, atol=1e-11)
    weights, inputs = draw(Q, N, seed=2), [support, query, *builder.parameters()]
    ours = torch.autograd.grad((logits * weights).sum(), inputs)
    theirs = torch.autograd.grad((want * weights).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


def episode() -> Episode:
    """Episode with labels and empty frames."""
    pixels = torch.zeros(N * K + Q, T, 3, 1, 1).split([N * K, Q])
    support = pixels[0].unflatten(0, (N, K))
    return Episode(support, pixels[1], torch.tensor(LABELS), torch.tensor(CLASSES))


def test_the_classifier_reads_the_frames_behind_the_attention() -> None:
    builder = build(SCALES[0])
    support, query = draw(N, K, T, D).requires_grad_(), draw(Q, T, D, seed=1).requires_grad_()
    for module in builder.modules():  # training without dropout, which has no naive form
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    prototypes, matched, auxiliary = builder.train()(support, query, None)
    loss = FrameClassifier(D, M, auxiliary="attended").double()
    outcome = Outcome(BiMHM()(matched, prototypes), support, query, auxiliary=auxiliary)
    got, losses = loss(outcome, episode()), []
    videos = [(support[n, k], CLASSES[n]) for n in range(N) for k in range(K)]
    videos += [(query[q], CLASSES[LABELS[q]]) for q in range(Q)]
    for video, label in videos:
        for frame in inside(builder, SCALES[0], video):
            scores = loss.classifier.weight @ frame + loss.classifier.bias
            losses.append(scores.exp().sum().log() - scores[label])
    want = sum(losses) / len(losses)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-12)
    inputs = [support, query, *loss.parameters(), *builder.within.parameters()]
    ours, theirs = torch.autograd.grad(got, inputs), torch.autograd.grad(want, inputs)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


def test_a_missing_auxiliary_output_is_named() -> None:
    support, query = draw(N, K, T, D), draw(Q, T, D)
    outcome = Outcome(draw(Q, N), support, query, auxiliary={"other": query})
    with pytest.raises(UserError, match=r"auxiliary is 'attended', expected .*there are: other"):
        FrameClassifier(D, M, auxiliary="attended")(outcome, episode())


def test_auxiliary_outputs_are_those_of_training_only() -> None:
    builder = build(SCALES[0])
    support, query = draw(N, K, T, D), draw(Q, T, D)
    assert len(builder(support, query, None)) == 2
    assert len(builder.train()(support, query, None)) == 3


@pytest.mark.parametrize("dim", [6, 512])
def test_positional_encoding(dim: int) -> None:
    got = squared_frequencies(torch.zeros(2, 16, dim, dtype=torch.float64))
    torch.testing.assert_close(got, positions(16, dim), rtol=0, atol=1e-14)


def test_initialisation_of_the_released_code() -> None:
    torch.manual_seed(0)
    builder = HybridRelation(512, as_released=True)
    within, between = builder.within, builder.between
    for layers, deviation in (
        ((within.query, within.key, within.value, within.out), 0.0255),
        ((between.query, between.key, between.value), 0.0589),
        ((between.out,), 0.0442),
    ):
        for layer in layers:
            assert layer.weight.std().item() == pytest.approx(deviation, rel=0.01)
    for attention in (within, between):
        assert attention.query.bias is None
        assert attention.out.bias.std().item() == pytest.approx(0.0255, rel=0.1)


def test_dropout_of_the_released_code() -> None:
    def rates(**options: object) -> list[float]:
        builder = HybridRelation(D, **options)  # type: ignore[arg-type]
        return sorted(m.p for m in builder.modules() if isinstance(m, torch.nn.Dropout))

    assert rates() == [0.1, 0.1, 0.1]
    assert rates(as_released=True) == [0.05, 0.1, 0.1, 0.2]
    assert rates(as_released=True, dropout=0.0) == []


def test_dropout_acts_on_the_attention_weights() -> None:
    torch.manual_seed(0)
    attention, tokens = MultiHeadAttention(D, 2, dropout=0.5), torch.randn(3, D)
    assert not torch.equal(attention(tokens, tokens), attention(tokens, tokens))
    attention.eval()
    assert torch.equal(attention(tokens, tokens), attention(tokens, tokens))
