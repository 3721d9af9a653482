"""CLIP's ResNet (Radford et al., ICML 2021, arXiv 2103.00020) from open_clip."""

from collections.abc import Iterator, Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.backbones.cnn import MapCNN
from fsarbench.backbones.openclip_library import ModifiedResNet
from fsarbench.backbones.openclip_loader import config_faults, load
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkSection
from fsarbench.registry import BACKBONES

STAGES = ("layer1", "layer2", "layer3", "layer4")


@BACKBONES.register_module()
class OpenClipResNet(MapCNN):
    """ResNet of open_clip with attention pooling, in CLIP's joint feature space.

    Args:
        model: Model name of open_clip, such as `RN50`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        batch_statistics: Whether trainable batch norms use and update batch statistics in training.

    Raises:
        UserError: The image tower is not a ResNet of CLIP, or model or weights are unknown.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown model or weights."""
        return config_faults(given)

    def __init__(
        self,
        model: NonEmptyStr = "RN50",
        pretrained: NonEmptyStr | None = None,
        batch_statistics: bool = True,
    ) -> None:
        visual = load(model, pretrained).visual
        if type(visual) is not ModifiedResNet:
            raise UserError(
                f"OpenClipResNet: the image tower of '{model}' is {type(visual).__name__}, not "
                "open_clip's ModifiedResNet. Choose RN50, RN101, RN50x4, RN50x16 or RN50x64."
            )
        super().__init__(ResNetTrunk(visual), batch_statistics)


class ResNetTrunk(nn.Module):
    """Trunk interface of an open_clip ResNet.

    Args:
        visual: Image tower.
    """

    def __init__(self, visual: ModifiedResNet) -> None:
        super().__init__()
        self.visual = visual
        self.depth = len(STAGES)
        self.width, self.dim = visual.attnpool.k_proj.in_features, visual.output_dim
        self.image_size = visual.image_size
        self.mean = tuple(visual.preprocess_cfg["mean"])
        self.std = tuple(visual.preprocess_cfg["std"])

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Forward of the library: stem, stages, attention pooling."""
        return self.visual(images)

    def feature_map(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Stem and stages."""
        maps = self.visual.stem(images)
        for stage in STAGES:
            maps = self.visual.get_submodule(stage)(maps)
        return maps

    def pool(self, maps: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Attention pooling."""
        return self.visual.attnpool(maps)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the network that holds a parameter, and its stage index."""
        part = name.split(".")[1]
        if part in STAGES:
            return "block", STAGES.index(part)
        return ("pool", 0) if part == "attnpool" else ("embed", 0)
