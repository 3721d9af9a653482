"""MPL's prototypes against loops over videos, frames, heads and windows, in float64."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fsarbench.layers import LayerAsReleased
from fsarbench.matchers.bi_mhm import BiMHM
from fsarbench.prototypes.match_guided import MatchGuided
from tests.helpers.naive_attention import head_by_head
from tests.helpers.parity import assert_equal, draw

N, K, Q, T, D = 3, 2, 4, 5, 8


def built(**options: Any) -> MatchGuided:
    """In float64, without dropout, with every parameter away from 0 and 1."""
    torch.manual_seed(0)
    builder = MatchGuided(D, heads=2, hidden=6, dropout=0.0, **options).double()
    with torch.no_grad():
        for parameter in builder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return builder


def distance(x: Tensor, y: Tensor) -> Tensor:
    """1 - cosine of two frames."""
    return 1 - (x @ y) / (x.square().sum().sqrt() * y.square().sum().sqrt())


def set_distance(first: Tensor, second: Tensor) -> Tensor:
    """Sum of the distances of every frame of both videos to its nearest frame of the other."""
    rows = [torch.stack([distance(x, y) for y in second]).min() for x in first]
    columns = [torch.stack([distance(x, y) for x in first]).min() for y in second]
    return torch.stack([*rows, *columns]).sum()


def normed(norm: nn.LayerNorm, vector: Tensor) -> Tensor:
    mean = vector.sum() / len(vector)
    variance = (vector - mean).square().sum() / len(vector)
    return (vector - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def layered(layer: LayerAsReleased, tokens: Tensor) -> Tensor:
    """The layer token by token: norm, attention, and a feed-forward network without a norm."""
    before = torch.stack([normed(layer.norm1, token) for token in tokens])
    rows = []
    wide, narrow = layer.feed_forward.widen, layer.feed_forward.narrow
    for token, change in zip(tokens, head_by_head(layer.attention, before), strict=True):
        after = token + change
        inner = wide.weight @ after + wide.bias
        inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        rows.append(after + narrow.weight @ inner + narrow.bias)
    return torch.stack(rows)


def enhanced(video: Tensor, query: Tensor, neighbours: int) -> Tensor:
    """A support video plus the weighted frames of the queries nearest to it."""
    distances = [set_distance(video, other) for other in query]
    order = sorted(range(len(query)), key=lambda i: distances[i].item())
    count = min(neighbours, len(query))
    gaps = [distances[order[-1 - i]] - distances[order[i]] for i in range(count)]
    length = torch.stack(gaps).square().sum().sqrt()
    total = video
    for i, gap in enumerate(gaps):
        total = total + gap / length * query[order[i]]
    return total


def across_shots(builder: MatchGuided, shots: Tensor, size: int) -> Tensor:
    """Frames "T D" of a class, averaged over its shots and the windows that hold them."""
    found: dict[int, list[Tensor]] = {t: [] for t in range(T)}
    for start in range(T - size + 1):
        places = [(k, start + i) for k in range(K) for i in range(size)]
        tokens = torch.stack([shots[place] for place in places])
        changes = head_by_head(builder.across_shots, tokens)
        for (_, t), token, change in zip(places, tokens, changes, strict=True):
            found[t].append(normed(builder.norm, token + change))
    return torch.stack([torch.stack(rows).sum(0) / len(rows) for rows in found.values()])


def naive(
    builder: MatchGuided, support: Tensor, query: Tensor, options: dict[str, Any]
) -> tuple[Tensor, Tensor]:
    """Prototypes "N T+1 D" and queries "Q T+1 D" of an episode whose queries are all read."""
    matched = options.get("key_frames") == "matched"
    plain, classes = [], []
    for shots in support:
        if options.get("queries") != "alone":
            neighbours = options.get("neighbours", 1)
            shots = torch.stack([enhanced(video, query, neighbours) for video in shots])
        shared = across_shots(builder, shots, options.get("window", 1))
        plain.append(shots.sum(0) / K + shared)
        classes.append(layered(builder.layer, plain[-1]))
    class_keys, query_keys = {n: [] for n in range(N)}, {q: [] for q in range(len(query))}
    for q in range(len(query)):
        for n in range(N):
            cells = [[distance(x, p).item() for p in plain[n]] for x in query[q]]
            nearest_in_class = [min(range(T), key=lambda s: cells[t][s]) for t in range(T)]
            nearest_in_query = [min(range(T), key=lambda t: cells[t][s]) for s in range(T)]
            if not matched:
                nearest_in_class, nearest_in_query = nearest_in_query, nearest_in_class
            class_keys[n] += [classes[n][s] for s in nearest_in_class]
            query_keys[q] += [query[q][t] for t in nearest_in_query]
    keys = [*query_keys.values(), *class_keys.values()]
    related = layered(builder.layer, torch.stack([sum(rows) / len(rows) for rows in keys]))
    first = [related[q] + query[q].sum(0) / T for q in range(len(query))]
    second = [related[len(query) + n] + classes[n].sum(0) / T for n in range(N)]
    rows = zip([*second, *first], [*classes, *query], strict=True)
    videos = [torch.cat([token[None], frames]) for token, frames in rows]
    return torch.stack(videos[:N]), torch.stack(videos[N:])


OPTIONS = [
    {},
    {"neighbours": 3},
    {"neighbours": 9, "window": 2},
    {"window": 3},
    {"window": T, "key_frames": "matched"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_prototypes_and_queries_of_an_episode(options: dict[str, Any]) -> None:
    builder = built(**options)
    support, query = draw(N, K, T, D), draw(Q, T, D, seed=1)
    prototypes, matched = builder(support, query, None)
    assert prototypes.shape == (1, N, 1, T + 1, D)
    assert builder.output_frames(T) == T + 1
    want = naive(builder, support, query, options)
    assert_equal([prototypes[0, :, 0], matched], want, [support, query, *builder.parameters()])


@pytest.mark.parametrize("key_frames", ["released", "matched"])
def test_each_query_alone(key_frames: str) -> None:
    options = {"queries": "alone", "key_frames": key_frames}
    builder = built(**options)
    support, query = draw(N, K, T, D), draw(Q, T, D, seed=1)
    prototypes, matched = builder(support, query, None)
    assert prototypes.shape == (Q, N, 1, T + 1, D)
    parts = [naive(builder, support, query[q : q + 1], options) for q in range(Q)]
    want = [torch.stack([part[0] for part in parts]), torch.cat([part[1] for part in parts])]
    assert_equal([prototypes[:, :, 0], matched], want, [support, query, *builder.parameters()])


def test_the_only_query_of_an_episode_enhances_nothing() -> None:
    """One query together is one query alone: its weight is 0."""
    support, query = draw(N, K, T, D).detach(), draw(1, T, D, seed=1).detach()
    together, alone = built(), built(queries="alone")
    for one, other in zip(together(support, query, None), alone(support, query, None), strict=True):
        torch.testing.assert_close(one, other)


def test_alone_a_score_depends_on_its_query_only() -> None:
    support, query = draw(N, K, T, D).detach(), draw(Q, T, D, seed=1).detach()
    for queries, independent in (("alone", True), ("together", False)):
        builder, matcher = built(queries=queries), BiMHM()
        prototypes, matched = builder(support, query, None)
        all_of_them = matcher(matched, prototypes)
        prototypes, matched = builder(support, query[:2], None)
        assert torch.allclose(matcher(matched, prototypes), all_of_them[:2]) == independent


def test_a_window_longer_than_the_video_is_the_video() -> None:
    support, query = draw(N, K, T, D).detach(), draw(Q, T, D, seed=1).detach()
    long, whole = built(window=T + 4), built(window=T)
    assert torch.equal(long(support, query, None)[0], whole(support, query, None)[0])


def test_initialisation_and_size_of_the_released_layers() -> None:
    torch.manual_seed(0)
    builder = MatchGuided(512)
    for layer in (builder.across_shots.query, builder.across_shots.key, builder.across_shots.value):
        assert layer.bias is None
        assert layer.weight.std().item() == pytest.approx(0.0589, rel=0.02)
    assert builder.across_shots.out.weight.std().item() == pytest.approx(512**-0.5, rel=0.02)
    assert sum(p.numel() for p in MatchGuided(1024).parameters()) == 8_394_752 + 4_197_376
