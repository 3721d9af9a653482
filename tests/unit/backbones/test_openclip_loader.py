"""Search for weights, and error messages if they are missing."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fsarbench.backbones import hub, openclip_loader
from fsarbench.backbones.openclip_loader import find_weights, load
from fsarbench.errors import UserError


def test_an_unreachable_hub_fails_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    class Session:
        def head(self, url: str, timeout: float) -> None:
            asked.append(timeout)
            raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "get_session", Session)
    monkeypatch.setattr(openclip_loader, "cached", lambda tag: None)
    with pytest.raises(UserError) as error:
        find_weights("ViT-B-16", "openai")
    assert asked == [hub.HUB_TIMEOUT]
    assert hub.HUB_TIMEOUT < 15
    for text in ("'openai' of 'ViT-B-16'", "no route to host", "HF_HOME", "backbone.pretrained"):
        assert text in str(error.value)


def test_unknown_tag_and_no_file() -> None:
    with pytest.raises(UserError) as error:
        find_weights("ViT-B-16", "opanai")
    assert "neither a weights tag of 'ViT-B-16' nor a file" in str(error.value)
    assert "Did you mean 'openai'?" in str(error.value)


def test_the_shipped_weights_are_found() -> None:
    assert find_weights("fsarbench-tiny", "synthact").is_file()


def test_a_local_file_gives_its_weights(tmp_path: Path) -> None:
    first = load("fsarbench-tiny")
    file = tmp_path / "mine.safetensors"
    save_file(first.state_dict(), file)
    again = load("fsarbench-tiny", str(file))
    for name, value in first.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert not any(p.requires_grad for p in again.parameters())


def test_a_file_of_another_model_is_named(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"visual.proj": torch.zeros(3, 3)}, file)
    with pytest.raises(UserError, match=r"other\.safetensors does not fit 'fsarbench-tiny'"):
        load("fsarbench-tiny", str(file))


def test_a_pickle_with_code_is_rejected(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (marker,)

    file = tmp_path / "evil.pt"
    torch.save({"state_dict": Attack()}, file)
    with pytest.raises(UserError, match="does not fit"):
        load("fsarbench-tiny", str(file))
    assert not marker.exists()


def test_openai_weights_take_quick_gelu(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        openai = load("ViT-B-32", "openai")
        plain = load("ViT-B-32")
        asked = load("ViT-B-32", quick_gelu=True)
    names = [
        type(m.visual.transformer.resblocks[0].mlp.gelu).__name__ for m in (openai, plain, asked)
    ]
    assert names == ["QuickGELU", "GELU", "QuickGELU"]
