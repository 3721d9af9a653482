"""Properties of every registered backbone, each built as small as possible."""

import pytest
import torch

from fsarbench.config.build import build_component
from fsarbench.interfaces import Backbone
from fsarbench.model import trainable_parameters
from tests.helpers.combinations import TINY, names

SMALL = {
    "OpenClipViT": TINY,
    "OpenClipResNet": {"type": "OpenClipResNet"},
    "TimmViT": {"type": "TimmViT", "model": "test_vit", "image_size": 32},
    "TimmCNN": {"type": "TimmCNN", "model": "test_resnet", "image_size": 32},
    "Precomputed": {"type": "Precomputed", "dim": 6, "steps": 2},
}


@pytest.fixture(params=names("backbone"), scope="module")
def backbone(request: pytest.FixtureRequest) -> Backbone:
    torch.manual_seed(0)
    # A backbone that is added is added here too.
    built = build_component("backbone", SMALL[request.param])
    # At their start CLIP's residual branches are switched off by zero scales.
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return built


@pytest.fixture
def frames(backbone: Backbone) -> torch.Tensor:
    size = backbone.image_size
    generator = torch.Generator().manual_seed(0)
    if backbone.takes_features:
        return torch.randn(3, 2, backbone.dim, generator=generator)
    return torch.randint(0, 256, (3, 2, 3, size, size), dtype=torch.uint8, generator=generator)


@torch.no_grad()
def test_features_are_finite_and_have_the_declared_width(
    backbone: Backbone, frames: torch.Tensor
) -> None:
    features = backbone.eval()(frames)
    assert features.shape == (3, 2, backbone.dim)
    assert features.isfinite().all()
    # Videos and frames differ, so their features do.
    assert (features[0] - features[1]).abs().max() > 1e-2
    assert (features[:, 0] - features[:, 1]).abs().max() > 1e-2


@torch.no_grad()
def test_videos_and_frames_are_independent(backbone: Backbone, frames: torch.Tensor) -> None:
    together = backbone.eval()(frames)
    torch.testing.assert_close(backbone(frames[1:2])[0], together[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(backbone(frames[:, :1])[:, 0], together[:, 0], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_training_mode_changes_nothing_while_frozen(
    backbone: Backbone, frames: torch.Tensor
) -> None:
    assert not trainable_parameters(backbone)
    state = {name: value.clone() for name, value in backbone.state_dict().items()}
    assert torch.equal(backbone.train()(frames), backbone.eval()(frames))
    assert all(torch.equal(value, state[name]) for name, value in backbone.state_dict().items())


@torch.no_grad()
def test_float_frames_give_the_same_features(backbone: Backbone, frames: torch.Tensor) -> None:
    if backbone.takes_features:
        pytest.skip("its input is no image")
    torch.testing.assert_close(backbone.eval()(frames / 255), backbone(frames))


@torch.no_grad()
def test_the_meta_device_gives_the_same_shapes(backbone: Backbone, frames: torch.Tensor) -> None:
    spec = SMALL[type(backbone).__name__]
    with torch.device("meta"):
        empty = build_component("backbone", spec)
    assert empty(frames.to("meta")).shape == (3, 2, backbone.dim)
    assert {n: p.shape for n, p in empty.named_parameters()} == {
        n: p.shape for n, p in backbone.named_parameters()
    }
