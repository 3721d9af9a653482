"""Laws of every registered neck: shapes, one video at a time, gradients, config and faults."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from fsarbench.config.build import build_component, build_model, build_on_meta
from fsarbench.episode import BEFORE_BLOCKS, TokenFeatures, VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Neck
from fsarbench.model import index_of
from tests.helpers.combinations import FRAMES, QUERIES, SHOT, WAY, episode, names, values

VIDEOS, TOKENS, WIDTH, DIM, TEXT = 4, 10, 8, 6, 5
SIZES: Mapping[str, Any] = {
    "width": WIDTH,
    "prefix": 1,
    "mlp_width": 4 * WIDTH,
    "block_count": 3,
    "grid": 3,
    "dim": DIM,
    "text_dim": TEXT,
    "frames": FRAMES,
    "classes": 7,
}
SMALL: Mapping[str, Any] = {
    "TemporalTransformer": {"heads": 2},
    "FrameAttention": {"heads": 2},
    "LadderSideNetwork": {"token_width": 4, "heads": 2, "temporal": (1,)},
    "LongShort": {"heads": 2, "hidden": 12},
    "MotionDifferences": {"heads": 2, "hidden": 12, "enlarge": (1, 2, 1)},
}
VARIANTS = [
    *((name, SMALL.get(name, {})) for name in names("neck")),
    ("TemporalTransformer", {"heads": 2, "class_token": True}),
    ("TemporalTransformer", {"heads": 2, "class_token": True, "output": "class_token"}),
    ("PatchLevels", {"levels": (0, -1), "join": "steps"}),
    ("PatchLevels", {"levels": (0, -1), "join": "width"}),
    ("PatchEnrichment", {"level": 0, "out_dim": 4}),
    ("FrameMotion", {"join": False}),
]


@pytest.fixture(params=VARIANTS, ids=lambda v: f"{v[0]}-{'-'.join(map(str, v[1].values()))}")
def neck(request: pytest.FixtureRequest) -> Neck:
    name, options = request.param
    torch.manual_seed(0)
    built: Neck = build_component("neck", {"type": name, **options}, SIZES)
    with torch.no_grad():  # away from embeddings and biases of zero
        for parameter in built.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return built.eval()


def inputs(neck: Neck) -> tuple[VideoFeatures, Tensor | None]:
    torch.manual_seed(1)
    tokens = {level: torch.randn(VIDEOS, FRAMES, TOKENS, WIDTH) for level in neck.levels}
    extra = {name: torch.randn(VIDEOS, FRAMES, 2) for name in neck.extra}
    text = torch.randn(VIDEOS, 2, TEXT) if neck.uses_text else None
    return VideoFeatures(torch.randn(VIDEOS, FRAMES, DIM), tokens, extra), text


def output(neck: Neck, features: VideoFeatures, text: Tensor | None) -> tuple[Tensor, ...]:
    """Features, and tokens if the neck returns any."""
    result = neck(features, text)
    if isinstance(result, TokenFeatures):
        return result.frames, result.tokens
    return (result[0] if isinstance(result, tuple) else result,)


def rows(features: VideoFeatures, index: list[int]) -> VideoFeatures:
    return VideoFeatures(
        features.frames[index],
        {level: value[index] for level, value in features.tokens.items()},
        {name: value[index] for name, value in features.extra.items()},
    )


@torch.no_grad()
def test_the_output_has_the_announced_shape(neck: Neck) -> None:
    made, *tokens = output(neck, *inputs(neck))
    assert made.shape == (VIDEOS, neck.output_frames(FRAMES), neck.dim)
    assert made.isfinite().all()
    assert len(tokens) == bool(neck.token_width)
    for own in tokens:
        assert own.shape == (VIDEOS, FRAMES, TOKENS, neck.token_width)
        assert own.isfinite().all()


@torch.no_grad()
def test_each_video_is_processed_on_its_own(neck: Neck) -> None:
    features, text = inputs(neck)
    whole = output(neck, features, text)
    for video in range(VIDEOS):
        single = None if text is None else text[[video]]
        alone = output(neck, rows(features, [video]), single)
        for own, among in zip(alone, whole, strict=True):
            torch.testing.assert_close(own[0], among[video], rtol=1e-4, atol=1e-5)


def test_features_and_parameters_get_gradients(neck: Neck) -> None:
    features, text = inputs(neck)
    sources = [features.frames, *features.tokens.values()] if neck.levels else [features.frames]
    for source in sources:
        source.requires_grad_()
    made = neck.train()(features, text)
    if isinstance(made, TokenFeatures):
        outputs = [made.tokens]
    else:
        outputs = [made[0], *made[1].values()] if isinstance(made, tuple) else [made]
    sum(tensor.square().sum() for tensor in outputs).backward()
    read = [source for source in sources if source.grad is not None]
    assert read
    assert all(p.grad is not None and p.grad.isfinite().all() for p in neck.parameters())


@pytest.mark.parametrize("name", names("neck"))
@torch.no_grad()
def test_a_model_with_the_neck_runs(name: str) -> None:
    config = {
        **values("Frozen", "Mean", "MeanCosine"),
        "neck": {"type": name, **SMALL.get(name, {})},
    }
    torch.manual_seed(0)
    model = build_model(config).eval()
    outcome = model(episode())
    assert outcome.logits.shape == (QUERIES, WAY)
    assert outcome.branches["main"].support.shape[:2] == (WAY, SHOT)
    support, query = model.encode(episode(), model.encode_text(episode()))
    cached = model.match(support.tensors(), query.tensors(), outcome.text)
    torch.testing.assert_close(cached.logits, outcome.logits, rtol=0, atol=0)
    build_on_meta(config)


def test_a_neck_that_changes_nothing_changes_no_number() -> None:
    config = values("AIM", "Mean", "OTAM")
    torch.manual_seed(0)
    plain = build_model(config).eval()
    torch.manual_seed(0)
    with_neck = build_model({**config, "neck": {"type": "Frames"}}).eval()
    with torch.no_grad():
        assert torch.equal(plain(episode()).logits, with_neck(episode()).logits)


def test_a_backbone_without_tokens_is_refused_by_name() -> None:
    config = {
        **values("Frozen", "Mean", "MeanCosine"),
        "backbone": {"type": "TorchvisionVideo", "model": "r3d_18"},
        "neck": {"type": "PatchEnrichment"},
    }
    with pytest.raises(
        UserError, match="PatchEnrichment reads patch tokens, and TorchvisionVideo gives none"
    ):
        build_on_meta(config)


def test_a_convolutional_network_gives_the_tokens_of_its_last_block() -> None:
    config = {
        **values("Frozen", "Mean", "MeanCosine"),
        "backbone": {"type": "TimmCNN", "model": "test_resnet"},
        "text_encoder": None,
        "losses": {},
        "neck": {"type": "PatchEnrichment"},
    }
    torch.manual_seed(0)
    assert build_model(config).eval()(episode()).logits.isfinite().all()
    earlier = {**config, "neck": {"type": "PatchEnrichment", "level": 1}}
    with pytest.raises(UserError, match="of block 1, and TimmCNN gives those of its last block"):
        build_on_meta(earlier)
    ladder = {**config, "neck": {"type": "LadderSideNetwork", "temporal": (0,)}}
    with pytest.raises(UserError, match="tokens before the first block, and TimmCNN gives those"):
        build_on_meta(ladder)


@torch.no_grad()
def test_a_neck_may_read_the_tokens_before_the_first_block() -> None:
    config = {**values("AIM", "Mean", "MeanCosine"), "neck": {"type": "PatchLevels"}}
    torch.manual_seed(0)
    model = build_model(config).eval()
    frames = episode().query
    plain = model.backbone(frames, None, levels=(0,))
    read = model.backbone(frames, None, levels=(-1, 0))
    torch.testing.assert_close(read.frames, plain.frames, rtol=0, atol=0)
    torch.testing.assert_close(read.tokens[0], plain.tokens[0], rtol=0, atol=0)
    first = model.backbone.adapters[0](read.tokens[-1], model.backbone.trunk.blocks[0], None)
    torch.testing.assert_close(first, plain.tokens[0])
    assert index_of(BEFORE_BLOCKS, model.backbone.depth) == -1


def test_a_block_that_is_not_there_is_refused() -> None:
    config = values("Frozen", "Mean", "MeanCosine")
    with pytest.raises(UserError, match="reads the tokens of block 12, and OpenClipViT has blocks"):
        build_on_meta({**config, "neck": {"type": "PatchEnrichment", "level": 12}})
