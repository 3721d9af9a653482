"""Task-Adapter++ against loops over sentences, tokens, heads, frames and queries, in float64."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fsarbench.errors import UserError
from fsarbench.matchers.cosine_product import CosineProduct
from fsarbench.prototypes.sub_action_windows import SubActionWindows, bins
from fsarbench.text_encoders.openclip_text import OpenClipText
from fsarbench.text_encoders.ordered_text import OrderedText, ordered_block
from tests.helpers.parity import assert_equal, draw

N, K, Q, D, M = 3, 2, 4, 6, 3
PROMPTS = ["the start of {}", "the middle of {}", "the end of {}"]
NAMES = ["moving something up", "something blinking"]


def cosine(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y) / (x.square().sum().sqrt() * y.square().sum().sqrt())


def normed(norm: Any, vector: Tensor) -> Tensor:
    mean = vector.sum() / len(vector)
    variance = (vector - mean).square().sum() / len(vector)
    return (vector - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


def attended(attention: nn.MultiheadAttention, tokens: list[Tensor], causal: bool) -> list[Tensor]:
    """Multi-head attention of a list of tokens to itself, token by token and head by head."""
    width = len(tokens[0])
    wide = width // attention.num_heads
    parts = [
        [attention.in_proj_weight[i * width : (i + 1) * width] @ token for token in tokens]
        for i in range(3)
    ]
    for i, rows in enumerate(parts):
        bias = attention.in_proj_bias[i * width : (i + 1) * width]
        parts[i] = [row + bias for row in rows]
    queries, keys, values = parts
    out = []
    for index, query in enumerate(queries):
        seen = range(index + 1) if causal else range(len(tokens))
        heads = []
        for head in range(attention.num_heads):
            at = slice(head * wide, (head + 1) * wide)
            scores = [(query[at] @ keys[j][at] / math.sqrt(wide)).exp() for j in seen]
            mixed = sum(score * values[j][at] for score, j in zip(scores, seen, strict=True))
            heads.append(mixed / sum(scores))
        out.append(attention.out_proj.weight @ torch.cat(heads) + attention.out_proj.bias)
    return out


def naive_block(block: Any, adapter: Any, sentences: list[list[Tensor]]) -> list[list[Tensor]]:
    """Block of the sentences of one class, token by token."""
    rows = []
    for tokens in sentences:
        changes = attended(block.attn, [normed(block.ln_1, x) for x in tokens], causal=True)
        rows.append([x + change for x, change in zip(tokens, changes, strict=True)])
    length = len(rows[0])
    for position in range(length):
        across = [normed(block.ln_1, row[position]) for row in rows]
        for row, mixed in zip(rows, attended(block.attn, across, causal=False), strict=True):
            inner = adapter.down.weight @ mixed + adapter.down.bias
            inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
            row[position] = row[position] + adapter.up.weight @ inner + adapter.up.bias
    for row in rows:
        for position, token in enumerate(row):
            wide = block.mlp.c_fc.weight @ normed(block.ln_2, token) + block.mlp.c_fc.bias
            wide = block.mlp.gelu(wide)
            row[position] = token + block.mlp.c_proj.weight @ wide + block.mlp.c_proj.bias
    return rows


def perturbed(encoder: OrderedText) -> OrderedText:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.adapters.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return encoder


def test_a_block_with_attention_across_the_sentences_of_a_class() -> None:
    encoder = perturbed(OrderedText("fsarbench-tiny", None, PROMPTS, last=1)).double()
    block, adapter = encoder.clip.transformer.resblocks[-1], encoder.adapters[0]
    length, width = 4, block.ln_1.normalized_shape[0]
    tokens = draw(2 * M, length, width)
    mask = torch.full((length, length), -math.inf, dtype=torch.float64).triu(1)
    got = ordered_block(block, adapter, tokens, M, mask)
    want = []
    for number in range(2):
        own = [list(tokens[number * M + m]) for m in range(M)]
        want += [torch.stack(row) for row in naive_block(block, adapter, own)]
    assert_equal([got], [torch.stack(want)], [tokens, *encoder.adapters.parameters()])


def test_text_features_start_as_those_of_clip_and_are_trained() -> None:
    ordered = OrderedText("fsarbench-tiny", "synthact", PROMPTS, last=1)
    plain = OpenClipText("fsarbench-tiny", "synthact", PROMPTS, sentences="all")
    features = ordered.train()(NAMES)
    assert features.shape == (2, M, ordered.dim)
    torch.testing.assert_close(features, plain(NAMES))
    features.square().sum().backward()
    trained = {name for name, p in ordered.named_parameters() if p.grad is not None}
    assert trained == {f"adapters.0.{layer}.{kind}" for layer in ("down", "up") for kind in KINDS}
    assert not any(p.requires_grad for p in ordered.clip.parameters())


KINDS = ("weight", "bias")


@torch.no_grad()
def test_sentences_of_a_class_attend_to_each_other_and_not_to_other_classes(tmp_path: Path) -> None:
    corpus = tmp_path / "stages.json"
    corpus.write_text(json.dumps({"a": ["up", "then down", "stop"], "b": ["left", "on", "right"]}))
    encoder = perturbed(OrderedText("fsarbench-tiny", None, corpus=str(corpus), last=2)).eval()
    both, alone = encoder(["a", "b"]), encoder(["b"])
    assert encoder.sentences == M
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-5)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"a": ["up", "then down", "stop"], "b": ["left", "on", "back"]}))
    changed = OrderedText("fsarbench-tiny", None, corpus=str(other), last=2).eval()
    changed.load_state_dict(encoder.state_dict())
    assert (changed(["b"])[0, 0] - alone[0, 0]).abs().max() > 1e-4


def test_the_last_blocks_are_no_more_than_there_are() -> None:
    with pytest.raises(UserError, match="last=3, but the text tower has 2 blocks"):
        OrderedText("fsarbench-tiny", last=3)


def naive_score(
    support: Tensor, query: Tensor, text: Tensor, windows: list[list[int]], options: dict[str, Any]
) -> Tensor:
    """Logits "Q N" from the equations of both scores."""
    frames, rows = query.shape[1], []
    for q in range(len(query)):
        transitions = []
        for t in range(frames - 1):
            mixed = query[q, t + 1]
            if options.get("queries") != "alone":
                scores = [(query[q, t] @ x[t + 1] / math.sqrt(D)).exp() for x in query]
                mixed = sum(s * x[t + 1] for s, x in zip(scores, query, strict=True)) / sum(scores)
            previous = options.get("residual") == "previous"
            transitions.append(mixed + (query[q, t] if previous else query[q, t + 1]))
        mean_query = query[q].sum(0) / frames
        row = []
        for n in range(len(support)):
            pairs = [
                cosine(text[n, stage], transitions[t])
                for stage, window in enumerate(windows)
                for t in window
            ]
            visual = cosine(mean_query, support[n].sum((0, 1)) / (K * frames))
            row.append(64 * visual * sum(pairs) / len(pairs))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize(
    "options", [{}, {"residual": "previous"}, {"queries": "alone", "residual": "previous"}]
)
@pytest.mark.parametrize(
    ("frames", "windows"),
    [(8, [[0, 1, 2], [2, 3, 4], [4, 5, 6]]), (4, [[0], [1], [2]]), (5, [[0, 1], [1, 2], [2, 3]])],
)
def test_scores(frames: int, windows: list[list[int]], options: dict[str, Any]) -> None:
    builder, matcher = SubActionWindows(D, **options), CosineProduct()
    support, query = draw(N, K, frames, D), draw(Q, frames, D, seed=1)
    text = draw(N, M, D, seed=2)
    prototypes, matched = builder(support, query, text)
    assert prototypes.shape[-2] == matched.shape[-2] == builder.output_frames(frames)
    want = naive_score(support, query, text, windows, options)
    assert_equal([matcher(matched, prototypes)], [want], [support, query, text])


def test_sentences_in_another_number_than_stages() -> None:
    support, query, text = draw(N, K, 8, D), draw(Q, 8, D, seed=1), draw(N, 2, D, seed=2)
    builder = SubActionWindows(D)
    one = builder(support, query, text[:, :1])[0]
    assert torch.equal(one, builder(support, query, text[:, [0, 0, 0]])[0])
    middle = text.mean(1, keepdim=True)
    three = torch.cat([text[:, :1], middle, text[:, 1:]], dim=1)
    torch.testing.assert_close(builder(support, query, text)[0], builder(support, query, three)[0])
    assert bins(6, 3) == [range(2), range(2, 4), range(4, 6)]


def test_the_norm_acts_on_what_a_frame_attends_to() -> None:
    support, query, text = draw(N, K, 4, D), draw(Q, 4, D, seed=1), draw(N, M, D, seed=2)
    builder = SubActionWindows(D, queries="alone", norm=True).double()
    _, matched = builder(support, query, text)
    for step in range(3):
        want = [normed(builder.norm, x[step + 1]) + x[step + 1] for x in query]
        torch.testing.assert_close(matched[:, 1 + step], torch.stack(want))


def test_messages() -> None:
    support, query = torch.ones(N, K, 1, D), torch.ones(Q, 1, D)
    with pytest.raises(UserError, match="text_encoder"):
        SubActionWindows(D)(support, query, None)
    with pytest.raises(UserError, match="a video has one"):
        SubActionWindows(D)(support, query, torch.ones(N, M, D))
    with pytest.raises(UserError, match="there is one step"):
        CosineProduct()(query, support[None, :, :1])
