"""Convolutional networks of timm as frame encoders."""

from collections.abc import Iterator, Mapping
from typing import Any

from jaxtyping import Float
from timm.models import group_parameters
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, PositiveInt
from fsarbench.backbones.cnn import CNN
from fsarbench.backbones.timm_loader import config_faults, load
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkPart
from fsarbench.layers import is_norm
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class TimmCNN(CNN):
    """Any network of timm that pools a feature map: ResNet-50, EfficientNet-Lite, ConvNeXt, ...

    Args:
        model: timm's model name, such as `resnet50.a1_in1k`.
        pretrained: True for timm's own weights, a local file, or False for random weights.
        image_size: Pixels of a side that clips are cut to; None is the model's own.
        batch_statistics: Tuned batch norms use and update the statistics of the batch in training.

    Raises:
        UserError: The model is a vision transformer, or model or weights are not known.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """A model or weights that are not known."""
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
                "maps. TimmViT takes vision transformers."
            )
        super().__init__(TimmStages(loaded, image_size), batch_statistics)


class TimmStages(nn.Module):
    """A timm network with what the backbone asks of a trunk; timm itself says what its stages are.

    Args:
        model: The network, without its classifier.
        image_size: Pixels of a side; None is the model's own.
    """

    def __init__(self, model: Any, image_size: int | None = None) -> None:
        super().__init__()
        self.model = model
        facts = model.pretrained_cfg
        self.groups = stage_of_each_parameter(model)
        self.depth = max(stage for part, stage in self.groups.values() if part == "block") + 1
        self.width = self.dim = model.head_hidden_size
        self.image_size = image_size or facts["input_size"][-1]
        self.mean, self.std = tuple(facts["mean"]), tuple(facts["std"])

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """The library's own forward, up to what its classifier would have read."""
        return self.model(images)

    def locate(self, name: str) -> tuple[TrunkPart, int]:
        """The part of the network that a parameter of this module belongs to."""
        return self.groups[name.partition(".")[2]]


def stage_of_each_parameter(model: Any) -> dict[str, tuple[TrunkPart, int]]:
    """Stem, stages and end of a network, by the groups that timm gives for layer-wise rates.

    The first group is the stem. Norms behind the stages, where they form a group, are the end.
    """
    groups = group_parameters(model, model.group_matcher(coarse=True))
    last = max(groups)
    owners = {model.get_submodule(name.rpartition(".")[0]) for name in groups[last]}
    ends_in_norms = all(is_norm(owner) for owner in owners)

    def part(group: int) -> tuple[TrunkPart, int]:
        if group == 0:
            return "embed", 0
        return ("pool", 0) if group == last and ends_in_norms else ("block", group - 1)

    return {name: part(group) for group, names in groups.items() for name in names}
