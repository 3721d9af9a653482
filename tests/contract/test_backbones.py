"""Properties of every registered backbone, each built as small as possible."""

import pytest
import torch

from fsarbench.config.build import build_component
from fsarbench.interfaces import Backbone
from fsarbench.model import trainable_parameters
from tests.helpers.combinations import TINY, names
from tests.helpers.tiny_video import spec

SMALL = {
    "OpenClipViT": TINY,
    "OpenClipResNet": {"type": "OpenClipResNet"},
    "TimmViT": {"type": "TimmViT", "model": "test_vit", "image_size": 32},
    "TimmCNN": {"type": "TimmCNN", "model": "test_resnet", "image_size": 32},
    "HFVideoBackbone": spec("videomae"),
    "Precomputed": {"type": "Precomputed", "dim": 6, "steps": 2},
    "TorchvisionVideo": {"type": "TorchvisionVideo", "model": "r3d_18", "image_size": 32},
}
# Frames of a clip, and time steps of its features, of the backbones that see whole clips.
CLIPS = {"HFVideoBackbone": (4, 2), "TorchvisionVideo": (16, 2)}


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
    shape = (3, steps(backbone)[0], 3, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def steps(backbone: Backbone) -> tuple[int, int]:
    """Frames of a clip, and time steps of its features."""
    return CLIPS.get(type(backbone).__name__, (2, 2))


@torch.no_grad()
def test_features_are_finite_and_have_the_declared_width(
    backbone: Backbone, frames: torch.Tensor
) -> None:
    features = backbone.eval()(frames)
    assert features.shape == (3, steps(backbone)[1], backbone.dim)
    assert features.isfinite().all()
    # Videos and frames differ, so their features do.
    assert (features[0] - features[1]).abs().max() > 1e-2
    assert (features[:, 0] - features[:, 1]).abs().max() > 1e-2


@torch.no_grad()
def test_videos_are_independent_and_frames_of_frame_wise_backbones(
    backbone: Backbone, frames: torch.Tensor
) -> None:
    together = backbone.eval()(frames)
    scale = together.abs().max()
    alone = backbone(frames[1:2])[0]
    torch.testing.assert_close(alone / scale, together[1] / scale, rtol=1e-4, atol=1e-4)
    if type(backbone).__name__ in CLIPS:
        moved = backbone(frames[:, [1, 0, *range(2, frames.shape[1])]])
        assert not torch.allclose(moved[:, -1], together[:, -1], rtol=1e-4, atol=1e-4)
    else:
        alone = backbone(frames[:, :1])[:, 0]
        torch.testing.assert_close(alone, together[:, 0], rtol=1e-4, atol=1e-4)


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
    assert empty(frames.to("meta")).shape == (3, steps(backbone)[1], backbone.dim)
    assert {n: p.shape for n, p in empty.named_parameters()} == {
        n: p.shape for n, p in backbone.named_parameters()
    }
