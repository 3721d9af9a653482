"""Video networks of torchvision: R3D, MC3, R(2+1)D, S3D, Video Swin, MViT."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, PositiveInt
from fsarbench.backbones.cnn import CNN
from fsarbench.backbones.torchvision_loader import config_faults, load, weights_of
from fsarbench.errors import UserError
from fsarbench.interfaces import TrunkSection
from fsarbench.registry import BACKBONES

Name = Literal[
    "r3d_18",
    "mc3_18",
    "r2plus1d_18",
    "s3d",
    "swin3d_t",
    "swin3d_s",
    "swin3d_b",
    "mvit_v1_b",
    "mvit_v2_s",
]


@BACKBONES.register_module()
class TorchvisionVideo(CNN):
    """Video network of torchvision: its last feature map, averaged over space.

    The features are those before the library's pooling over time: S = T / 8 for R3D, R(2+1)D and
    S3D, S = T / 2 for Swin and MViT, S = T for MC3.

    Args:
        model: Name of the model in torchvision.
        pretrained: Name of weights in torchvision, such as `KINETICS400_V1`; a local safetensors
            file; or None for random weights.
        image_size: Side length of the clips in pixels; None is that of the weights, and all that
            MViT takes.
        batch_statistics: Whether trainable batch norms use and update batch statistics in training.

    Raises:
        UserError: The weights are unknown or do not match.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown weights."""
        return config_faults(given)

    def __init__(
        self,
        model: Name,
        pretrained: NonEmptyStr | None = None,
        image_size: PositiveInt | None = None,
        batch_statistics: bool = True,
    ) -> None:
        for _, message in config_faults({"model": model, "image_size": image_size}):
            raise UserError(f"TorchvisionVideo: {message}.")
        family = next(kind for prefix, kind in FAMILIES.items() if model.startswith(prefix))
        super().__init__(family(model, pretrained, image_size), batch_statistics)

    def output_frames(self, frames: int) -> int:
        """Number of time steps S of the features of a clip.

        Raises:
            UserError: The network cannot process clips of this length.
        """
        return self.trunk.steps(frames)

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V S D"]:
        """Features of every time step; see `fsarbench.interfaces.Backbone.forward`.

        Raises:
            UserError: The network cannot process clips of this length.
        """
        del text
        self.output_frames(frames.shape[1])
        # The adapters are not called, because they would only run the unchanged stage.
        clips = self.normalise(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        return self.trunk(clips.transpose(1, 2))


class Video3DTrunk(nn.Module):
    """Trunk interface of a video network, with the network's own layers up to its pooling.

    Args:
        name: Name of the model in torchvision.
        pretrained: Name of weights, path of a file, or None for random weights.
        image_size: Side length of the clips in pixels; None is that of the weights.

    Attributes:
        strides: Kernel, stride and padding along time of the layers with a stride.
    """

    dim = 512
    depth = 4
    strides: Sequence[tuple[int, int, int]] = ()

    def __init__(self, name: str, pretrained: str | None, image_size: int | None) -> None:
        super().__init__()
        self.name = name
        transforms = weights_of(name, pretrained).transforms()
        self.image_size = image_size or transforms.crop_size[0]
        self.mean, self.std = tuple(transforms.mean), tuple(transforms.std)
        self.model: Any = load(name, pretrained)
        self.width = self.dim

    def steps(self, frames: int) -> int:
        """Number of time steps of the feature map of a clip.

        Raises:
            UserError: The clip is too short.
        """
        length = frames
        for kernel, stride, padding in self.strides:
            length = (length + 2 * padding - kernel) // stride + 1
        if length < 1:
            raise UserError(
                f"TorchvisionVideo: clips of {frames} frames are too short for '{self.name}'. Set "
                "clips.frames=16 or more."
            )
        return length

    def forward(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V S D"]:
        """Feature map before the library's pooling, averaged over space."""
        return self.feature_map(clips).mean((3, 4)).transpose(1, 2)

    def feature_map(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V D S h w"]:
        """Feature map before the library's pooling."""
        raise NotImplementedError

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the network that holds a parameter, and its stage or block index."""
        raise NotImplementedError


class ResNetTrunk(Video3DTrunk):
    """R3D-18, MC3-18 and R(2+1)D-18 (Tran et al., CVPR 2018, arXiv 1711.11248)."""

    def __init__(self, name: str, pretrained: str | None, image_size: int | None) -> None:
        super().__init__(name, pretrained, image_size)
        # The stages of MC3 behind the first have no kernels over time.
        self.strides = () if name.startswith("mc3") else ((3, 2, 1),) * 3

    def feature_map(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V D S h w"]:
        """Feature map of the fourth stage."""
        maps = self.model.layer1(self.model.stem(clips))
        return self.model.layer4(self.model.layer3(self.model.layer2(maps)))

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Stem, or the stage of a parameter."""
        stage = re.search(r"\.layer(\d)\.", name)
        return ("block", int(stage[1]) - 1) if stage else ("embed", 0)


class S3DTrunk(Video3DTrunk):
    """S3D (Xie et al., ECCV 2018, arXiv 1712.04851); stages are what its poolings divide."""

    dim = 1024
    strides = ((7, 2, 3), (3, 2, 1), (2, 2, 0))
    # Index of the last layer of each stage in `features`, the stem first.
    ends = (0, 3, 6, 12, 15)

    def feature_map(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V D S h w"]:
        """Feature map of the last inception block."""
        return self.model.features(clips)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Stem, or the stage of a parameter."""
        layer = int(name.split(".")[2])
        stage = sum(layer > end for end in self.ends)
        return ("block", stage - 1) if stage else ("embed", 0)


class SwinTrunk(Video3DTrunk):
    """Video Swin Transformer (Liu et al., CVPR 2022, arXiv 2106.13230)."""

    strides = ((1, 2, 0),)

    def __init__(self, name: str, pretrained: str | None, image_size: int | None) -> None:
        super().__init__(name, pretrained, image_size)
        self.dim = self.width = self.model.num_features

    def feature_map(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V D S h w"]:
        """Normalised feature map of the last stage."""
        tokens = self.model.features(self.model.pos_drop(self.model.patch_embed(clips)))
        return self.model.norm(tokens).permute(0, 4, 1, 2, 3)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Embedding, stage or last norm of a parameter; a stage begins with its patch merging."""
        part, index = name.split(".")[1:3]
        if part == "features":
            return "block", (int(index) + 1) // 2
        return ("pool", 0) if part == "norm" else ("embed", 0)


class MViTTrunk(Video3DTrunk):
    """MViT (Fan et al., ICCV 2021, arXiv 2104.11227; Li et al., CVPR 2022, arXiv 2112.01526)."""

    dim = 768
    strides = ((3, 2, 1),)

    def __init__(self, name: str, pretrained: str | None, image_size: int | None) -> None:
        super().__init__(name, pretrained, image_size)
        self.depth = len(self.model.blocks)

    def steps(self, frames: int) -> int:
        """Number of time steps of the feature map of a clip.

        Raises:
            UserError: The clip has another length than the learned positions.
        """
        steps = super().steps(frames)
        length = self.model.pos_encoding.temporal_size
        if steps != length:
            raise UserError(
                f"TorchvisionVideo: '{self.name}' takes clips of {2 * length} frames, got {frames}."
                f" Set clips.frames={2 * length}."
            )
        return steps

    def feature_map(self, clips: Float[Tensor, "V 3 T H W"]) -> Float[Tensor, "V D S h w"]:
        """Normalised tokens after the last block, without the class token."""
        positions = self.model.pos_encoding
        tokens = positions(self.model.conv_proj(clips).flatten(2).transpose(1, 2))
        size = (positions.temporal_size, *positions.spatial_size)
        for block in self.model.blocks:
            tokens, size = block(tokens, size)
        return self.model.norm(tokens)[:, 1:].transpose(1, 2).unflatten(2, size)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Embedding, block or last norm of a parameter."""
        part, index = name.split(".")[1:3]
        if part == "blocks":
            return "block", int(index)
        return ("pool", 0) if part == "norm" else ("embed", 0)


# Trunk of each model, by the first letters of its name.
FAMILIES: Mapping[str, type[Video3DTrunk]] = {
    "r": ResNetTrunk,
    "mc": ResNetTrunk,
    "s3d": S3DTrunk,
    "swin": SwinTrunk,
    "mvit": MViTTrunk,
}
