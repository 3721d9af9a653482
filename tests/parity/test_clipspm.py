"""CLIP-SPM against loops over videos, frames and tokens, in float64."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fsarbench.config.build import build_model
from fsarbench.config.loading import load_config
from fsarbench.episode import Episode, Outcome
from fsarbench.losses.consistency import Consistency
from fsarbench.prototypes.prompt_modulation import PromptModulation
from tests.helpers.combinations import episode as small_episode
from tests.helpers.naive_fusion import attended, differences, fused, ready
from tests.helpers.parity import assert_equal, draw

T, D = 3, 4
N, K, Q = 3, 2, 4
LABELS = [0, 2, 1, 2]
# Share of the text, widths and slope of the gates, heads and their width, hidden width.
OPTIONS: Any = (0.3, (1.5, 0.5, 0.2), (2, 3), 5)


def builder(transductive: bool = True) -> Any:
    torch.manual_seed(0)
    return ready(PromptModulation(D, *OPTIONS, transductive=transductive))


def task() -> tuple[Tensor, Tensor, Tensor]:
    return draw(N, K, T, D), draw(Q, T, D, seed=1), draw(N, 2, D, seed=2)


def names_of(text: Tensor) -> list[Tensor]:
    return [(sentences[0] + sentences[1]) / 2 for sentences in text]


def prompt(build: PromptModulation, text: Tensor, video: Tensor) -> Tensor:
    mean = sum(value for frame in video for value in frame) / video.numel()
    scaled = sum(names_of(text)) / N * mean
    network = build.prompt
    inner = F.gelu(network.widen.weight @ scaled + network.widen.bias)
    return network.narrow.weight @ inner + network.narrow.bias


def modulated(
    build: PromptModulation, support: Tensor, query: Tensor, text: Tensor
) -> tuple[list[list[Tensor]], list[Tensor]]:
    """Text or prompt and frames of every video behind the first attention."""
    classes = [
        [fused(build.fuse, shot, name) for shot in shots]
        for shots, name in zip(support, names_of(text), strict=True)
    ]
    return classes, [fused(build.fuse, video, prompt(build, text, video)) for video in query]


def related(
    build: PromptModulation, classes: list[list[Tensor]], queries: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Prototypes "N S2 D" and queries "S2 D" that are scored together."""
    own, anchors, with_support, with_queries = [], [], [], []
    for t in range(T):
        frames = [[shot[t + 1] for shot in shots] for shots in classes]
        others = [video[t + 1] for video in queries]
        means = [(sum(shots) + sum(others)) / (K + len(others)) for shots in frames]
        tokens = [*means, *(frame for shots in frames for frame in shots)]
        with_support.append(attended(build.relate, torch.stack(tokens)))
        with_queries.append(attended(build.relate, torch.stack([sum(means) / N, *others])))
    for n in range(N):
        own.append(torch.stack([sum(shot[t + 1] for shot in classes[n]) / K for t in range(T)]))
        shots = [N + n * K + k for k in range(K)]
        refined = [sum(step[number] for number in shots) / K for step in with_support]
        anchors.append(torch.cat([torch.stack(refined), torch.stack([s[n] for s in with_support])]))
    prototypes = torch.stack([torch.cat(pair) for pair in zip(own, anchors, strict=True)])
    matched = [
        torch.cat(
            [
                video[1:],
                torch.stack([step[q + 1] for step in with_queries]),
                torch.stack([step[0] for step in with_queries]),
            ]
        )
        for q, video in enumerate(queries)
    ]
    return prototypes, matched


@pytest.mark.parametrize("transductive", [True, False])
def test_prototypes_and_queries(transductive: bool) -> None:
    build = builder(transductive)
    support, query, text = task()
    built, matched, _ = build(support, query, text)
    classes, queries = modulated(build, support, query, text)
    groups = [queries] if transductive else [[video] for video in queries]
    parts = [related(build, classes, group) for group in groups]
    want = torch.stack([prototypes for prototypes, _ in parts])[:, :, None]
    together = torch.stack([video for _, videos in parts for video in videos])
    used = [p for n, p in build.named_parameters() if not n.startswith("differences")]
    assert_equal([built, matched], [want, together], [support, query, text, *used])


def squared(difference: Tensor) -> Any:
    return sum(value * value for value in difference.flatten())


def distances(build: PromptModulation, video: Tensor, name: Tensor, text: Tensor) -> dict[str, Any]:
    """Squared distances of one video, whose class has that text."""
    made = prompt(build, text, video)
    real, replaced = fused(build.fuse, video, name), fused(build.fuse, video, made)
    shallow = sum(differences(build.differences, video)) / (T - 1)
    deep = fused(build.fuse, video, shallow)
    motion = sum(differences(build.differences, deep[1:])) / (T - 1)
    return {
        "motion": squared(motion - deep[0]),
        "prompt": squared(name - made),
        "fused_prompt": squared(real[0] - replaced[0]),
        "fused": squared(real - replaced),
    }


@pytest.mark.parametrize("reads", ["motion", "prompt", "fused_prompt", "fused"])
def test_consistency(reads: str) -> None:
    build = builder()
    support, query, text = task()
    names = names_of(text)
    of_support = [
        distances(build, shot, names[n], text)[reads] for n in range(N) for shot in support[n]
    ]
    of_query = [distances(build, query[q], names[LABELS[q]], text)[reads] for q in range(Q)]
    empty, labels = torch.zeros(N, K, 1, 1), torch.tensor(LABELS)
    _, _, further = build(support, query, text)
    outcome = Outcome(torch.zeros(Q, N), empty, torch.zeros(Q, 1, 1), auxiliary=further)
    episode = Episode(empty, torch.zeros(Q, 1, 1), labels, torch.arange(N))
    got = Consistency(reads=reads, support_weight=0.4, query_weight=0.6)(outcome, episode)
    want = 0.4 * sum(of_support) / len(of_support) + 0.6 * sum(of_query) / len(of_query)
    inputs = [support, query, *build.fuse.parameters()]
    inputs += list((build.differences if reads == "motion" else build.prompt).parameters())
    if reads == "prompt":
        inputs = [support, query, text, *build.prompt.parameters()]
    assert_equal([got[None]], [want[None]], inputs)


def small_model(name: str) -> Any:
    config = dict(load_config(name, ["clips.frames=4"]).values)
    config["backbone"] = {**config["backbone"], "pretrained": None}
    config["text_encoder"] = {**config["text_encoder"], "pretrained": None}
    torch.manual_seed(0)
    return build_model(config, 3)


def test_a_step_of_training_reaches_all_parameters() -> None:
    model, task = small_model("clipspm_synthact_1shot").train(), small_episode()
    losses = model.loss(model(task), task)
    assert set(losses) == {"match", "motion", "prompt", "fused_prompt", "fused"}
    sum(losses.values()).backward()
    for name, parameter in model.prototypes.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_of_the_distances_only_that_of_the_motion_counts_as_released() -> None:
    model, task = small_model("clipspm_released_synthact_1shot").train(), small_episode()
    losses = model.loss(model(task), task)
    assert losses["motion"] > 0
    assert losses["prompt"] == losses["fused_prompt"] == losses["fused"] == 0


@torch.no_grad()
def test_the_score_is_the_weighted_sum_of_three_alignments() -> None:
    model, task = small_model("clipspm_synthact_1shot").eval(), small_episode()
    seen = model(task).branches["main"]
    total = torch.zeros_like(seen.logits)
    for part, weight in enumerate((0.5, 1.0, 1.0)):
        steps = slice(4 * part, 4 * part + 4)
        own = model.matcher.measure(seen.matched[:, steps], seen.prototypes[..., steps, :])
        total = total + weight * own
    torch.testing.assert_close(seen.logits, total)


@torch.no_grad()
def test_queries_see_each_other_unless_they_are_scored_alone() -> None:
    support, query, text = (x.detach() for x in task())
    for transductive in (True, False):
        build = builder(transductive).eval()
        among = build(support, query, text)[1][:1]
        alone = build(support, query[:1], text)[1]
        assert torch.allclose(among, alone) != transductive
