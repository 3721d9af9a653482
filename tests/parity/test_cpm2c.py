"""CLIP-CPM2C against loops over frames, tokens and cells, in float64."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import Episode, Outcome, VideoFeatures
from fsarbench.errors import UserError
from fsarbench.layers import LayerAsReleased, TextFusion
from fsarbench.losses.consistency import Consistency
from fsarbench.matchers.segment_matching import SegmentMatching
from fsarbench.necks.frame_motion import FrameMotion
from fsarbench.prototypes.consistency_prototypes import ConsistencyPrototypes
from tests.helpers.combinations import episode as small_episode
from tests.helpers.naive_cosine import cosine_with_term
from tests.helpers.naive_fusion import attended, differences, fused, ready
from tests.helpers.parity import assert_equal, draw

T, D, HEADS = 3, 4, 2
N, K, Q = 3, 2, 4
LABELS = [0, 2, 1, 2]


def test_motion_is_the_mean_of_both_differences() -> None:
    torch.manual_seed(0)
    neck = ready(FrameMotion(D))
    videos = draw(2, T, D)
    motion = torch.stack([differences(neck.differences, video) for video in videos])
    want = torch.cat([videos, motion], 1)
    assert_equal([neck(VideoFeatures(videos), None)], [want], [videos, *neck.parameters()])
    alone = FrameMotion(D, join=False).double()
    alone.load_state_dict(neck.state_dict())
    torch.testing.assert_close(alone(VideoFeatures(videos), None), motion)


@pytest.mark.parametrize("head_width", [None, 3])
def test_a_layer_attends_with_heads_of_any_width(head_width: int | None) -> None:
    torch.manual_seed(0)
    layer = ready(LayerAsReleased(D, HEADS, 5, 0.1, 0.1, head_width=head_width))
    tokens = draw(T, D)
    assert_equal([layer(tokens, tokens)], [attended(layer, tokens)], [tokens, *layer.parameters()])


def segments_of(video: Tensor, count: int) -> list[Tensor]:
    """Consecutive steps, the first segments longer by one step."""
    parts, start = [], 0
    for number in range(count):
        length = math.ceil((len(video) - start) / (count - number))
        parts.append(video[start : start + length])
        start += length
    return parts


def with_tokens(fuse: TextFusion, video: Tensor, tokens: list[Tensor]) -> list[Tensor]:
    """Segments of a video after the layer, each behind its token."""
    parts = segments_of(video, len(tokens))
    return [fused(fuse, part, token) for part, token in zip(parts, tokens, strict=True)]


def without_tokens(parts: list[Tensor]) -> Tensor:
    return torch.cat([part[1:] for part in parts])


@pytest.mark.parametrize(("count", "share"), [(1, 0.3), (2, 0.1)])
def test_prototypes_and_consistency(count: int, share: float) -> None:
    torch.manual_seed(0)
    build = ready(ConsistencyPrototypes(D, count, share, HEADS, 5))
    steps = 2 * T - 1
    support, query, text = draw(N, K, steps, D), draw(Q, steps, D), draw(N, 2, D)
    names = [(text[n, 0] + text[n, 1]) / 2 for n in range(N)]
    tokens = [build.tokens[i, 0] for i in range(count)]
    classes, of_support = [], []
    for n in range(N):
        real = [with_tokens(build.fuse, shot, [names[n]] * count) for shot in support[n]]
        classes.append(sum(without_tokens(parts) for parts in real) / K)
        for shot, parts in zip(support[n], real, strict=True):
            other = with_tokens(build.fuse, shot, tokens)
            of_support.append(squared(torch.cat(parts) - torch.cat(other)))
    queries, of_query = [], []
    for q in range(Q):
        parts = with_tokens(build.fuse, query[q], tokens)
        queries.append(without_tokens(parts))
        other = with_tokens(build.fuse, query[q], [names[LABELS[q]]] * count)
        of_query.append(squared(torch.cat(parts) - torch.cat(other)))
    built, matched, further = build(support, query, text)
    loss = Consistency(support_weight=0.5, query_weight=2.0)(*observed(further))
    want_loss = 0.5 * sum(of_support) / len(of_support) + 2 * sum(of_query) / len(of_query)
    want = [torch.stack(classes)[None, :, None], torch.stack(queries), want_loss[None]]
    assert_equal([built, matched, loss[None]], want, [support, query, text, *build.parameters()])
    assert len(build.eval()(support, query, text)) == 2


def squared(difference: Tensor) -> Any:
    return sum(value * value for value in difference.flatten())


def observed(further: dict[str, Tensor]) -> tuple[Outcome, Episode]:
    """Outcome with these auxiliary outputs, and its episode."""
    empty = torch.zeros(N, K, 1, 1)
    labels = torch.tensor(LABELS)
    outcome = Outcome(torch.zeros(Q, N), empty, torch.zeros(Q, 1, 1), auxiliary=further)
    return outcome, Episode(empty, torch.zeros(Q, 1, 1), labels, torch.arange(N))


def test_a_difference_without_classes_is_that_of_the_video() -> None:
    further = {"deep_support": draw(N * K, D), "deep_query": draw(Q, D)}
    parts = [squared(x) / len(x) for x in further.values()]
    got = Consistency(reads="deep")(*observed(further))
    assert_equal([got[None]], [sum(parts)[None]], list(further.values()))
    with pytest.raises(UserError, match="reads is 'text_support', expected an auxiliary output"):
        Consistency(reads="text")(*observed(further))


def smooth(costs: list[Tensor]) -> Tensor:
    return -0.5 * torch.stack([(-cost / 0.5).exp() for cost in costs]).sum().log()


def aligned(distances: Tensor) -> Tensor:
    """OTAM of two short sequences, cell by cell, with the borders of the field's code."""
    rows, columns = distances.shape
    padded = F.pad(distances, (1, 1))
    cost: dict[tuple[int, int], Tensor] = {}
    for row in range(rows):
        for column in range(columns + 2):
            own = padded[row, column]
            if column == 0:
                cost[row, column] = own
            elif row == 0:
                cost[row, column] = own + cost[row, column - 1]
            else:
                before = [cost[row - 1, column - 1], cost[row, column - 1]]
                if column in (1, columns + 1):
                    before.append(cost[row - 1, column])
                cost[row, column] = own + smooth(before)
    return cost[rows - 1, columns + 1]


def mutual_minima(distances: Tensor) -> Tensor:
    return sum(row.amin() for row in distances) + sum(column.amin() for column in distances.T)


@pytest.mark.parametrize("measure", ["otam", "bi_mhm"])
def test_segments_are_matched_by_themselves(measure: Any) -> None:
    weights, eps, steps = [0.5, 2.0], 0.01, 2 * T - 1
    matcher = SegmentMatching(2, weights, measure, 0.5, eps)
    query, prototypes = draw(2, steps, D), draw(1, 2, 2, steps, D)
    want = []
    for q in range(2):
        row = []
        for n in range(2):
            total = torch.zeros((), dtype=torch.float64)
            for prototype in prototypes[0, n]:
                pairs = zip(segments_of(query[q], 2), segments_of(prototype, 2), strict=True)
                for weight, (one, other) in zip(weights, pairs, strict=True):
                    cells = [[1 - cosine_with_term(a, b, eps) for b in other] for a in one]
                    cost = torch.stack([torch.stack(line) for line in cells])
                    both = aligned(cost) + aligned(cost.T) if measure == "otam" else None
                    total = total - weight * (mutual_minima(cost) if both is None else both)
            row.append(total / 2)
        want.append(torch.stack(row))
    assert_equal([matcher(query, prototypes)], [torch.stack(want)], [query, prototypes])
    shares = matcher.explain(query, prototypes).weights
    assert shares is not None
    assert shares[..., :T, T:].abs().max() == shares[..., T:, :T].abs().max() == 0
    assert shares[..., :T, :T].max() > 0
    assert shares[..., T:, T:].max() > shares[..., :T, :T].max()


def test_wrong_segments_are_refused() -> None:
    with pytest.raises(UserError, match=r"weights is \[1\.0\], expected one for each of the 2"):
        SegmentMatching(2, [1.0])
    with pytest.raises(UserError, match="segments is 4, and a video has 3 steps"):
        SegmentMatching(4)(draw(Q, T, D), draw(1, N, 1, T, D))


def small_model() -> Any:
    config = dict(load_config("cpm2c_synthact_1shot", ["clips.frames=4"]).values)
    config["backbone"] = {**config["backbone"], "pretrained": None}
    config["text_encoder"] = {**config["text_encoder"], "pretrained": None}
    torch.manual_seed(0)
    return build_model(config, 3)


def test_a_step_of_training_reaches_all_parameters() -> None:
    model, task = small_model().train(), small_episode()
    bank = model.text_encoder(task.names)
    task = Episode(task.support, task.query, task.labels, task.classes, task.names, None, bank)
    losses = model.loss(model(task), task)
    assert set(losses) == {"match", "text", "consistency"}
    sum(losses.values()).backward()
    for part in (model.neck, model.prototypes):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_the_text_of_a_query_does_not_reach_its_score() -> None:
    model, task = small_model().eval(), small_episode()
    turned = Episode(task.support, task.query, task.labels.flip(0), task.classes, task.names)
    assert torch.equal(model(task).logits, model(turned).logits)
