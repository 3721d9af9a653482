"""Convolutional networks of timm as frame encoders."""

from collections.abc import Iterator, Mapping
from typing import Any

from jaxtyping import Float
from timm.models import group_parameters
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, PositiveInt
from fsarbench.backbones.cnn import MapCNN
from fsarbench.backbones.timm_loader import config_faults, load
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkSection
from fsarbench.layers import is_norm
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class TimmCNN(MapCNN):
    """Network of timm that pools a feature map: ResNet-50, EfficientNet-Lite, ConvNeXt, ...

    Args:
        model: Model name of timm, such as `resnet50.a1_in1k`.
        pretrained: True for timm's weights, a local file, or False for random weights.
        image_size: Side length of the clips in pixels; None is the model's default.
        batch_statistics: Whether trainable batch norms use and update batch statistics in training.

    Raises:
        UserError: The model is a vision transformer, or model or weights are unknown.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown model or weights."""
        return config_faults(given)

    def __init__(
        self,
        model: NonEmptyStr,
        pretrained: bool | NonEmptyStr = False,
        image_size: PositiveInt | None = None,
        batch_statistics: bool = True,
    ) -> None:
        loaded = load(model, pretrained)
        if isinstance(loaded, VisionTransformer) or not hasattr(loaded, "group_matcher"):
            raise UserError(
                f"TimmCNN: '{model}' is {type(loaded).__name__}, which has no stages of feature "
                "maps. Use TimmViT for vision transformers."
            )
        super().__init__(TimmStages(loaded, image_size), batch_statistics)


class TimmStages(nn.Module):
    """Trunk interface of a timm network, with stages as defined by timm.

    Args:
        model: Network without its classifier.
        image_size: Side length of the input in pixels; None is the model's default.
    """

    def __init__(self, model: Any, image_size: int | None = None) -> None:
        super().__init__()
        self.model = model
        pretrained_cfg = model.pretrained_cfg
        self.groups = stage_of_each_parameter(model)
        self.depth = max(stage for part, stage in self.groups.values() if part == "block") + 1
        self.width, self.dim = model.num_features, model.head_hidden_size
        self.image_size = image_size or pretrained_cfg["input_size"][-1]
        self.mean, self.std = tuple(pretrained_cfg["mean"]), tuple(pretrained_cfg["std"])

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Forward of the library up to the input of its classifier."""
        return self.model(images)

    def feature_map(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Last feature map.

        Raises:
            UserError: The network's last features are no map "B C h w".
        """
        maps = self.model.forward_features(images)
        if maps.ndim != 4 or maps.shape[1] != self.width:
            raise UserError(
                f"TimmCNN: the last features of {type(self.model).__name__} are no map of "
                f"{self.width} channels, so it gives no tokens for necks. Choose a convolutional "
                "network such as resnet50, or a neck that reads frame features."
            )
        return maps

    def pool(self, maps: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Forward of the library behind the last feature map."""
        return self.model.forward_head(maps)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the network that holds a parameter, and its stage index."""
        return self.groups[name.partition(".")[2]]


def stage_of_each_parameter(model: Any) -> dict[str, tuple[TrunkSection, int]]:
    """Stem, stages and head of a network, from timm's groups for layer-wise learning rates.

    The first group is the stem. The last group is the head if it consists of norms only.
    """
    groups = group_parameters(model, model.group_matcher(coarse=True))
    last = max(groups)
    last_layers = {model.get_submodule(name.rpartition(".")[0]) for name in groups[last]}
    ends_in_norms = all(is_norm(layer) for layer in last_layers)

    def part(group: int) -> tuple[TrunkSection, int]:
        if group == 0:
            return "embed", 0
        return ("pool", 0) if group == last and ends_in_norms else ("block", group - 1)

    return {name: part(group) for group, names in groups.items() for name in names}
