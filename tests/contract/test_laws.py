"""Properties of every registered component and combination; a card adds its component."""

import itertools
from dataclasses import replace

import pytest
import torch

from fsarbench.catalogue.cards import find
from fsarbench.config.build import USUAL_CLASSES, build_model
from fsarbench.episode import Episode
from fsarbench.interfaces import Matcher, PrototypeBuilder
from fsarbench.matchers.frame_cosine import FrameCosineMatcher
from fsarbench.model import FewShotModel, trainable_parameters
from fsarbench.prototypes.per_video import PerVideoPrototypeBuilder
from fsarbench.registry import SLOTS
from tests.helpers.combinations import (
    BOUND,
    DIM,
    FRAMES,
    QUERIES,
    SHOT,
    WAY,
    adapted,
    combined,
    episode,
    features,
    matching,
    names,
    values,
)

ADAPTERS = names("adapter")
SEPARATE = [
    name
    for name in names("prototypes")
    if issubclass(SLOTS["prototypes"].find(name), PerVideoPrototypeBuilder)
]
FROM_COSINES = [
    name for name in names("matcher") if issubclass(SLOTS["matcher"].find(name), FrameCosineMatcher)
]
PAIRS = list(itertools.product(names("prototypes"), names("matcher")))
ORDER = [2, 0, 1]
# CLIP pools the class token: what ST-Adapter does to the patches after the last attention is lost.
UNREACHED = "adapters.3.before_mlp."
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}
close = torch.testing.assert_close


def in_order(task: Episode) -> Episode:
    """The same episode with its classes in another order."""
    return replace(task, support=task.support[ORDER], names=tuple(task.names[i] for i in ORDER))


def other_shots(task: Episode) -> Episode:
    """The same episode with the shots of every class in another order."""
    return replace(task, support=task.support[:, list(reversed(range(SHOT)))])


def one_query(task: Episode) -> Episode:
    """The same episode with its first query only."""
    return replace(task, query=task.query[:1], labels=task.labels[:1])


def transductive(*parts: str) -> bool:
    return any(find(name).transductive for name in parts)


# Adapters: laws of the features.


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def encoder(adapter: str) -> FewShotModel:
    model = adapted(adapter)
    model.zero_grad()
    return model.eval()


def encode(model: FewShotModel, task: Episode) -> tuple[torch.Tensor, torch.Tensor]:
    support, query = model.encode(task, model.encode_text(task))
    return support.frames, query.frames


@torch.no_grad()
def test_features_have_their_shape_and_follow_the_order_of_videos(
    encoder: FewShotModel,
) -> None:
    task = episode()
    support, query = encode(encoder, task)
    assert support.shape == (WAY, SHOT, FRAMES, DIM)
    assert query.shape == (QUERIES, FRAMES, DIM)
    assert support.isfinite().all()
    assert query.isfinite().all()
    moved, same = encode(encoder, in_order(task))
    close(moved, support[ORDER], **TOLERANCE)
    close(same, query, **TOLERANCE)
    swapped, _ = encode(encoder, other_shots(task))
    close(swapped, support.flip(1), **TOLERANCE)


@torch.no_grad()
def test_videos_are_independent_unless_the_adapter_is_joint(
    adapter: str, encoder: FewShotModel
) -> None:
    task = episode()
    _, query = encode(encoder, task)
    changed = replace(task, query=torch.cat([task.query[:1], task.query[1:].flip(0)]))
    changed = replace(changed, support=1 - task.support)
    _, apart = encode(encoder, changed)
    alone = torch.allclose(apart[0], query[0], rtol=1e-4, atol=1e-4)
    assert alone == (not encoder.backbone.joint)
    # What the parts say of themselves decides whether features may be cached by video.
    if encoder.backbone.joint:
        assert find(adapter).transductive


def test_trainable_parameters_get_gradients_and_frozen_ones_none(encoder: FewShotModel) -> None:
    support, query = encode(encoder.train(), episode())
    if trainable_parameters(encoder.backbone):
        generator = torch.Generator().manual_seed(0)
        weights = torch.randn(support.shape, generator=generator)
        ((support * weights).sum() + (query * weights[0, 0, :1]).sum()).backward()
    for name, parameter in encoder.backbone.named_parameters():
        if not parameter.requires_grad:
            assert parameter.grad is None, name
        elif UNREACHED not in name:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_trainable_state_round_trips(adapter: str, encoder: FewShotModel) -> None:
    state = {name: p.clone() for name, p in trainable_parameters(encoder).items()}
    torch.manual_seed(1)
    other = build_model(values(adapter, "Mean", "MeanCosine")).eval()
    frozen = {name: p for name, p in encoder.state_dict().items() if name not in state}
    other.load_state_dict({**frozen, **state})
    for mine, theirs in zip(encode(other, episode()), encode(encoder, episode()), strict=True):
        assert torch.equal(mine, theirs)


@torch.no_grad()
def test_identity_at_start_matches_the_card(adapter: str) -> None:
    def at_start(name: str) -> torch.Tensor:
        torch.manual_seed(0)
        built = build_model(values(name, "Mean", "MeanCosine")).eval()
        return torch.cat([part.flatten() for part in encode(built, episode())])

    same = torch.allclose(at_start(adapter), at_start("Frozen"), rtol=1e-5, atol=1e-5)
    assert same == find(adapter).identity_at_start


# Prototype builders and matchers: laws of the logits on given features.


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def parts(pair: tuple[str, str]) -> tuple[PrototypeBuilder, Matcher]:
    prototypes, matcher = matching(*pair)
    prototypes.zero_grad()
    matcher.zero_grad()
    return prototypes.eval(), matcher.eval()


def logits(
    parts: tuple[PrototypeBuilder, Matcher],
    support: torch.Tensor,
    query: torch.Tensor,
    text: torch.Tensor,
) -> torch.Tensor:
    prototypes, matcher = parts
    built, matched = prototypes(support, query, text)[:2]
    return matcher(matched, built)


@torch.no_grad()
def test_logits_have_their_shape_and_follow_the_order_of_classes(
    pair: tuple[str, str], parts: tuple[PrototypeBuilder, Matcher]
) -> None:
    support, query, text = features()
    plain = logits(parts, support, query, text)
    assert plain.shape == (QUERIES, WAY)
    assert plain.isfinite().all()
    assert torch.equal(logits(parts, support, query, text), plain)
    close(logits(parts, support[ORDER], query, text[ORDER]), plain[:, ORDER], **TOLERANCE)
    close(logits(parts, support.flip(1), query, text), plain, **TOLERANCE)
    if not transductive(*pair):
        close(logits(parts, support, query[:1], text), plain[:1], **TOLERANCE)


@torch.no_grad()
def test_a_batch_of_episodes_equals_the_loop(parts: tuple[PrototypeBuilder, Matcher]) -> None:
    tasks = [features(seed) for seed in range(3)]
    together = torch.vmap(lambda s, q, t: logits(parts, s, q, t))(
        *(torch.stack(x) for x in zip(*tasks, strict=True))
    )
    close(together, torch.stack([logits(parts, *task) for task in tasks]), **TOLERANCE)


@pytest.mark.parametrize("prototypes", ["Mean", "HybridRelation"])
@pytest.mark.parametrize("name", FROM_COSINES)
@torch.no_grad()
def test_scores_of_many_episodes_equal_the_loop(prototypes: str, name: str) -> None:
    """With prototypes that all queries share, and with prototypes of each query."""
    builder, matcher = (part.eval() for part in matching(prototypes, name))
    assert isinstance(matcher, FrameCosineMatcher)
    built = [builder(*features(seed))[:2] for seed in range(3)]
    each_query = [(classes.expand(QUERIES, -1, -1, -1, -1), query) for classes, query in built]
    for tasks in (built, each_query):
        classes, query = (torch.stack(x) for x in zip(*tasks, strict=True))
        together = matcher.score_episodes(query, classes)
        close(together, torch.stack([matcher(q, p) for p, q in tasks]), **TOLERANCE)


@pytest.mark.parametrize("prototypes", SEPARATE)
@torch.no_grad()
def test_per_video_builders_depend_on_one_class_or_query_only(prototypes: str) -> None:
    builder, _ = matching(prototypes, "OTAM")
    builder.eval()
    support, query, text = features()
    built, matched = builder(support, query, text)
    for number in range(WAY):
        one = slice(number, number + 1)
        close(builder.class_prototypes(support[one], text[one])[0], built[0, number], **TOLERANCE)
    for number in range(QUERIES):
        close(builder.query_features(query[number : number + 1])[0], matched[number], **TOLERANCE)


def test_features_and_parameters_get_gradients(
    parts: tuple[PrototypeBuilder, Matcher],
) -> None:
    support, query, text = features()
    inputs = [support.requires_grad_(), query.requires_grad_()]
    for part in parts:
        part.train()
    built, matched, *auxiliary = parts[0](*inputs, text)
    entropy = torch.nn.functional.cross_entropy(
        parts[1](matched, built), torch.tensor([0, 1, 2, 0])
    )
    further = auxiliary[0].values() if auxiliary else ()
    sum((value.square().mean() for value in further), entropy).backward()
    named = [item for part in parts for item in part.named_parameters()]
    if parts[0].uses_support:
        named.append(("support", support))
    for name, tensor in [*named, ("query", query)]:
        assert tensor.grad is not None, name
        assert tensor.grad.isfinite().all(), name
        # A key's bias moves all scores of a softmax alike: zero gradient but for rounding. Steps
        # that are all alike, as those of a text, leave attention over them without gradient.
        assert tensor.grad.abs().max() > 0 or not parts[0].uses_support, name


# Losses and readouts.


@pytest.mark.parametrize("loss", [name for name in names("losses") if name not in BOUND])
def test_losses_are_finite_and_reach_the_features(loss: str) -> None:
    model = adapted("FullFineTuning").train()
    model.zero_grad()
    task = episode()
    assert model.text_encoder is not None
    others = [f"action {number}" for number in range(USUAL_CLASSES - WAY)]
    task = replace(task, bank=model.text_encoder([*task.names, *others]))
    value = model.losses[loss](model(task), task)
    assert value.isfinite()
    value.backward()
    proj = model.get_parameter("backbone.trunk.visual.proj")
    assert proj.grad is not None
    assert proj.grad.abs().max() > 0


@pytest.mark.parametrize("readout", names("readout"))
@torch.no_grad()
def test_scores_are_permuted_with_their_classes(readout: str) -> None:
    config = {**values("Frozen", "Mean", "MeanCosine"), "readout": {"type": readout}}
    torch.manual_seed(0)
    model, task = build_model(config).eval(), episode()
    scores = model.scores(model(task))
    assert scores.shape == (QUERIES, WAY)
    assert scores.isfinite().all()
    close(model.scores(model(in_order(task))), scores[:, ORDER], **TOLERANCE)


# All combinations.


@torch.no_grad()
def test_all_combinations(adapter: str, encoder: FewShotModel) -> None:
    task = episode()
    tasks = [task, in_order(task), one_query(task)]
    encoded = [(*encode(encoder, each), encoder.encode_text(each)) for each in tasks]
    for prototypes, matcher in PAIRS:
        model = combined(adapter, prototypes, matcher)
        plain, moved, alone = (model.match(*each).logits for each in encoded)
        where = f"{adapter}, {prototypes}, {matcher}"
        assert plain.shape == (QUERIES, WAY), where
        assert plain.isfinite().all(), where
        assert torch.allclose(moved, plain[:, ORDER], rtol=1e-3, atol=1e-3), where
        if not transductive(adapter, prototypes, matcher):
            assert torch.allclose(alone, plain[:1], rtol=1e-3, atol=1e-3), where
