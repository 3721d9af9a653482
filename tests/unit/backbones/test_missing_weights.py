"""Search for weights before torch is imported."""

import subprocess
import sys
from pathlib import Path

import open_clip
import pytest

from fsarbench.backbones import hub, missing_weights, openclip_weights
from fsarbench.backbones.missing_weights import require_download, wrong_name
from fsarbench.errors import UserError

OPENAI = {"model": "ViT-B-16", "pretrained": "openai"}


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Session:
        def head(self, url: str, timeout: float) -> None:
            raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "get_session", Session)
    monkeypatch.setattr(missing_weights, "cached", lambda tag: None)
    monkeypatch.setattr(missing_weights, "cached_file", lambda repository, names: None)


def test_the_list_of_weights_is_that_of_open_clip() -> None:
    for model in set(open_clip.list_models()) - {"fsarbench-tiny"}:
        tags = open_clip.list_pretrained_tags_by_model(model)
        assert openclip_weights.known_tags(model) == tags, model
        for tag in tags:
            assert openclip_weights.weights_tag(model, tag) == open_clip.get_pretrained_cfg(
                model, tag
            )


@pytest.mark.parametrize(
    ("component", "given", "message"),
    [
        ("OpenClipViT", {**OPENAI, "pretrained": "opanai"}, "Did you mean 'openai'?"),
        ("OpenClipText", {**OPENAI, "pretrained": "/nowhere/a.pt"}, "looked for /nowhere/a.pt"),
        ("TimmViT", {"model": "x", "pretrained": "/nowhere/a.pt"}, "True for timm's weights"),
    ],
)
def test_wrong_names(component: str, given: dict[str, object], message: str) -> None:
    assert message in (wrong_name(component, given) or "")


@pytest.mark.parametrize(
    ("component", "given"),
    [
        ("OpenClipViT", OPENAI),
        ("OpenClipViT", {"model": "fsarbench-tiny", "pretrained": "synthact"}),
        ("OpenClipViT", {"model": "ViT-B-16", "pretrained": None}),
        ("OpenClipViT", {"model": 3, "pretrained": "openai"}),
        ("OpenClipViT", {"model": "no model", "pretrained": "openai"}),
        ("OpenClipViT", {"model": "ViT-B-16", "pretrained": __file__}),
        ("TimmViT", {"model": "x", "pretrained": True}),
        ("Precomputed", {}),
        ("MyBackbone", {"pretrained": "mine"}),
    ],
)
def test_everything_else_is_left_to_the_full_check(
    component: str, given: dict[str, object]
) -> None:
    assert wrong_name(component, given) is None


@pytest.mark.parametrize(
    ("component", "given", "named"),
    [
        ("OpenClipViT", OPENAI, "'openai' of 'ViT-B-16'"),
        ("HFVideoBackbone", {"pretrained": "MCG-NJU/videomae-base"}, "MCG-NJU/videomae-base"),
    ],
)
@pytest.mark.usefixtures("unreachable")
def test_weights_that_cannot_be_downloaded(
    component: str, given: dict[str, object], named: str
) -> None:
    with pytest.raises(UserError, match="no route to host") as error:
        require_download(component, given)
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("component", "given"),
    [
        ("OpenClipViT", {"model": "fsarbench-tiny", "pretrained": "synthact"}),
        ("OpenClipViT", {"model": "ViT-B-16", "pretrained": "/a/file.pt"}),
        ("HFVideoBackbone", {"pretrained": None}),
        ("HFVideoBackbone", {"pretrained": str(Path(__file__).parent)}),
        ("TimmCNN", {"model": "resnet50", "pretrained": True}),
    ],
)
@pytest.mark.usefixtures("unreachable")
def test_the_hub_is_asked_only_for_its_weights(component: str, given: dict[str, object]) -> None:
    require_download(component, given)


def test_weights_on_this_machine_need_no_hub(
    monkeypatch: pytest.MonkeyPatch, unreachable: None
) -> None:
    monkeypatch.setattr(missing_weights, "cached", lambda tag: Path(__file__))
    require_download("OpenClipViT", OPENAI)


def test_missing_weights_are_reported_without_torch() -> None:
    program = (
        "import sys\n"
        "from fsarbench.config.data_at_hand import require_inputs\n"
        "from fsarbench.errors import UserError\n"
        "try:\n"
        "    require_inputs('mafsar_synthact_1shot', ['backbone.pretrained=nowhere'])\n"
        "except UserError as error:\n"
        "    print(error)\n"
        "require_inputs('mafsar_synthact_1shot')\n"
        "print('torch' in sys.modules)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "--set backbone.pretrained=nowhere: pretrained='nowhere' is neither" in answer
    assert answer.rstrip().endswith("False")
