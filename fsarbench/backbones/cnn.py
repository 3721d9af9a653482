"""Convolutional networks as frame encoders, for any library."""

from collections.abc import Sequence
from typing import Protocol

from jaxtyping import Float, Num
from torch import Tensor

from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.backbones.base import Trunk, TrunkBackbone
from fsarbench.episode import VideoFeatures
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter


class CNN(TrunkBackbone):
    """Convolutional network with the library's own forward; its stages count as blocks.

    Args:
        trunk: Network module from images to pooled features.
        batch_statistics: Whether batch norms with a trainable parameter use batch statistics in
            training and update their running statistics. All other batch norms always use the
            pretrained statistics.
    """

    def __init__(self, trunk: Trunk, batch_statistics: bool = True) -> None:
        self.batch_statistics = batch_statistics
        super().__init__(trunk)
        # A CNN has no tokens.
        self.prefix, self.mlp_width = 0, 0

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Make the parameters trainable that the adapters select, with one adapter per stage.

        Raises:
            UserError: An adapter works on tokens.
        """
        for adapter in adapters:
            if not isinstance(adapter, TrunkTuning):
                raise UserError(
                    f"{type(adapter).__name__} changes the tokens of transformer blocks, and "
                    f"{type(self).__name__} has none. Choose an adapter that only makes parameters "
                    "trainable: Frozen, FullFineTuning, PartialFineTuning, NormTuning, BiasTuning."
                )
        super().adapt(adapters)

    def train(self, mode: bool = True) -> "CNN":
        """Set the mode as in torch, but frozen batch norms stay in evaluation mode."""
        super().train(mode)
        for layer in self.trunk.modules():
            if "BatchNorm" in type(layer).__name__:
                trainable = any(p.requires_grad for p in layer.parameters(recurse=False))
                layer.train(layer.training and trainable and self.batch_statistics)
        return self

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V T D"] | VideoFeatures:
        """Features of every frame; see `fsarbench.interfaces.Backbone.forward`."""
        del text
        # The adapters are not called, because they would only run the unchanged stage.
        features = self.trunk(self.normalise(frames.flatten(0, 1)))
        return features.unflatten(0, frames.shape[:2])


class MapTrunk(Trunk, Protocol):
    """Image network that pools a feature map: its forward is `pool(feature_map(images))`.

    Attributes:
        width: Channels C of the feature map.
    """

    def feature_map(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Last feature map, the input of the pooling.

        Raises:
            UserError: The network has no feature map with `width` channels.
        """

    def pool(self, maps: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """One feature per image."""


class MapCNN(CNN):
    """Convolutional image network whose last feature map gives tokens for necks.

    The cells of the map, row by row, are the tokens after the last block. Earlier blocks have no
    tokens.

    Args:
        trunk: Network module from images to pooled features.
        batch_statistics: As in `CNN`.
    """

    gives_tokens = only_last_tokens = True

    def __init__(self, trunk: MapTrunk, batch_statistics: bool = True) -> None:
        super().__init__(trunk, batch_statistics)

    def forward(
        self,
        frames: Num[Tensor, "V T 3 H W"],
        text: Float[Tensor, "V E"] | None = None,
        levels: Sequence[int] = (),
    ) -> Float[Tensor, "V T D"] | VideoFeatures:
        """Features of every frame, and the last feature map as tokens if `levels` names a block.

        See `fsarbench.interfaces.Backbone.forward`.
        """
        if not levels:
            return super().forward(frames, text)
        maps = self.trunk.feature_map(self.normalise(frames.flatten(0, 1)))
        features = self.trunk.pool(maps).unflatten(0, frames.shape[:2])
        tokens = maps.flatten(2).transpose(1, 2).unflatten(0, frames.shape[:2])
        return VideoFeatures(features, dict.fromkeys(levels, tokens))
