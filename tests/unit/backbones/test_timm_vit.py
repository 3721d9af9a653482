import socket
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from fsarbench.adapters.full_fine_tuning import FullFineTuning
from fsarbench.backbones.timm_vit import TimmTrunk, TimmViT
from fsarbench.backbones.vit import ViT
from fsarbench.errors import UserError


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("deit_tiny_distilled_patch16_224", "VisionTransformerDistilled"),
        ("beit_base_patch16_224", "Beit"),
        ("vit_small_patch16_18x2_224", "ParallelThingsBlock"),
        ("vit_dlittle_patch16_reg1_gap_256", "DiffAttention"),
        ("resnet18", "ResNet, not a plain VisionTransformer.*TimmCNN"),
        ("test_vitt", "Did you mean 'test_vit'"),
        ("test_vit.r161_in1k", "no tag 'r161_in1k'.*test_vit.r160_in1k"),
    ],
)
def test_other_models_are_rejected_by_name(model: str, message: str) -> None:
    with torch.device("meta"), pytest.raises(UserError, match=message):
        TimmViT(model)


def test_sizes_are_those_of_the_model() -> None:
    with torch.device("meta"):
        backbone = TimmViT("vit_small_patch14_reg4_dinov2", image_size=224)
    assert (backbone.width, backbone.dim, backbone.depth) == (384, 384, 12)
    assert (backbone.prefix, backbone.mlp_width, backbone.image_size) == (5, 1536, 224)


@pytest.fixture
def donor() -> torch.nn.Module:
    torch.manual_seed(0)
    return timm.create_model("test_vit", img_size=32).eval()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@torch.no_grad()
def test_weights_from_a_file_with_its_classifier(
    tmp_path: Path, donor: torch.nn.Module, name: str
) -> None:
    path = tmp_path / name
    state = donor.state_dict()
    save_file(state, path) if name.endswith("rs") else torch.save({"state_dict": state}, path)
    backbone = TimmViT("test_vit", str(path), image_size=32).eval()
    donor.requires_grad_(False)
    frames = torch.rand(1, 2, 3, 32, 32)
    expected = donor.forward_head(
        donor.forward_features(backbone.normalise(frames[0])), pre_logits=True
    )
    assert torch.equal(backbone(frames)[0], expected)
    # No classifier is left, and no second copy of the weights.
    assert not any("head" in name for name, _ in backbone.named_parameters())
    assert "state_dict" not in backbone.trunk.model.pretrained_cfg


def test_a_file_that_lacks_weights_is_rejected(tmp_path: Path, donor: torch.nn.Module) -> None:
    path = tmp_path / "w.safetensors"
    state = donor.state_dict()
    del state["blocks.3.mlp.fc1.weight"]
    save_file(state, path)
    with pytest.raises(UserError, match=r"does not fit 'test_vit'.*blocks.3.mlp.fc1.weight"):
        TimmViT("test_vit", str(path), image_size=32)


def test_a_file_of_another_model_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), path)
    with pytest.raises(UserError, match="does not fit 'test_vit'"):
        TimmViT("test_vit", str(path))


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


def test_a_pickle_with_code_is_not_executed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.pth"
    torch.save({"blocks": Code()}, path)
    with pytest.raises(UserError, match="cannot be read as weights"):
        TimmViT("test_vit", str(path))
    assert "executed" not in capsys.readouterr().out


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.pth"):
        TimmViT("test_vit", str(tmp_path / "absent.pth"))


def test_an_unreachable_hub_is_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("fsarbench.backbones.hub.try_to_load_from_cache", lambda *names: None)
    with pytest.raises(UserError, match=r"test_vit.*pretrained=FILE"):
        TimmViT("test_vit", pretrained=True)


def test_drop_path_drops_whole_frames_of_a_trainable_trunk() -> None:
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=0, img_size=32, drop_path_rate=0.5)
    backbone = ViT(TimmTrunk("test_vit", model.requires_grad_(False)))
    block = backbone.trunk.blocks[-1]
    tokens = torch.randn(2, 8, 5, backbone.width)
    assert (backbone.train().trunk.blocks[-1].mlp(tokens) != 0).all()
    backbone.adapt([FullFineTuning() for _ in range(backbone.depth)])
    for part in (block.attend, block.mlp):
        dropped = (part(tokens) == 0).all(-1).all(-1)
        assert 0 < dropped.sum() < 16
    backbone.eval()
    assert (block.mlp(tokens) != 0).all()
