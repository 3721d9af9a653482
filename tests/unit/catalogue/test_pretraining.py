"""Training data of pretrained weights, and the data sets whose test classes it holds."""

from typing import Any

import pytest

from fsarbench.catalogue.cards import cards
from fsarbench.catalogue.pretraining import SeenData, holders, overlap, seen_data
from fsarbench.config.named_datasets import dataset_names

KINETICS, SOMETHING = "kinetics-400", "something-something-v2"


def hf(pretrained: Any) -> SeenData | None:
    return seen_data({"type": "HFVideoBackbone", "pretrained": pretrained})


@pytest.mark.parametrize(
    ("name", "data", "labels"),
    [
        ("MCG-NJU/videomae-base-finetuned-kinetics", [KINETICS], True),
        ("MCG-NJU/videomae-base-finetuned-ssv2", [SOMETHING], True),
        ("MCG-NJU/videomae-base", [KINETICS], False),
        ("MCG-NJU/videomae-base-short-ssv2", [SOMETHING], False),
        ("facebook/timesformer-hr-finetuned-k600", ["kinetics-600"], True),
        ("facebook/timesformer-base-finetuned-ssv2", [SOMETHING], True),
        ("google/vivit-b-16x2-kinetics400", [KINETICS], True),
        ("microsoft/xclip-base-patch32", [KINETICS], True),
        ("microsoft/xclip-large-patch14-kinetics-600", ["kinetics-600"], True),
        ("microsoft/xclip-base-patch16-hmdb-2-shot", ["hmdb-51"], True),
        # A local copy under the same name.
        ("/data/weights/videomae-base-finetuned-kinetics/", [KINETICS], True),
    ],
)
def test_weights_are_known_by_the_last_part_of_their_name(
    name: str, data: list[str], labels: bool
) -> None:
    assert hf(name) == SeenData(tuple(data), labels)


def test_random_weights_have_seen_nothing_and_other_weights_are_unknown() -> None:
    assert hf(None) == SeenData()
    assert seen_data({"type": "TimmViT", "model": "vit_base_patch16_224"}) == SeenData()
    assert hf("someone/videomae-base-finetuned-ucf101-subset") is None
    assert hf("my-weights") is None
    timm = {"type": "TimmViT", "model": "vit_base_patch16_224", "pretrained": True}
    assert seen_data(timm) is None
    assert seen_data({"type": "OfAnotherPackage", "pretrained": "openai"}) is None


def test_clip_and_torchvision() -> None:
    clip = {"type": "OpenClipViT", "model": "ViT-B-16", "pretrained": "openai"}
    assert seen_data(clip) == SeenData(("wit-400m",))
    network = {"type": "TorchvisionVideo", "model": "swin3d_b"}
    for weights in ("KINETICS400_V1", "KINETICS400_IMAGENET22K_V1"):
        assert seen_data({**network, "pretrained": weights}) == SeenData((KINETICS,), True)


def test_the_rules_name_known_data() -> None:
    assert holders().keys() <= set(dataset_names())
    on_cards = {name for card in cards() for seen in card.seen_data for name in seen["data"]}
    for data in holders().values():
        assert data <= on_cards | {"kinetics-700"}


def test_overlap_of_training_data_and_test_classes() -> None:
    kinetics, something = SeenData((KINETICS,), True), SeenData((SOMETHING,), False)
    assert "kinetics-400, which contains the test classes, with" in overlap(kinetics, "kinetics100")
    assert overlap(kinetics, "ssv2") == overlap(SeenData(), "kinetics100") == ""
    for name in ("ssv2", "ssv2small"):
        assert overlap(something, name).endswith("contains the test classes, without labels")
    both = hf("facebook/vjepa2-vitl-fpc64-256")
    assert both is not None
    assert overlap(both, "kinetics100").startswith(
        "pretrained on kinetics-400 and kinetics-600 and kinetics-700, which contain"
    )
    assert overlap(both, "ssv2").startswith("pretrained on something-something-v2, which contains")
    assert overlap(kinetics, "a data set of one's own") == ""
