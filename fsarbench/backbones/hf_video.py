"""Video backbones of Hugging Face transformers: VideoMAE, V-JEPA 2, TimeSformer, ViViT, X-CLIP."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from jaxtyping import Float, Num
from torch import Tensor

from fsarbench.arguments.signatures import ArgumentError, Conflict
from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.backbones.base import TrunkBackbone
from fsarbench.backbones.hf_loader import Architecture, config_faults, load
from fsarbench.backbones.hf_trunks import TRUNKS
from fsarbench.backbones.vit import BlockLoop
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class HFVideoBackbone(TrunkBackbone):
    """Video model of transformers: one feature per time step of a clip.

    A time step is a tubelet of two frames in VideoMAE, V-JEPA 2 and ViViT, and a frame in
    TimeSformer and X-CLIP. The clip must have the model's number of frames.

    Args:
        model: Architecture; None for that of the weights.
        pretrained: Name on the hub, such as `MCG-NJU/videomae-base-finetuned-kinetics`; a local
            folder that `save_pretrained` wrote; or None for random weights. Only safetensors files
            are read.
        config: Settings of transformers that replace the defaults or those of the weights, such as
            `dict(num_frames=8)`.
        pool: Mean of the `patches` of each time step, or the `class` token: one per frame in
            X-CLIP, and one per clip (S = 1) in TimeSformer and ViViT. None is `class` for X-CLIP
            and `patches` for the others.

    Attributes:
        block_loop: Loop over the blocks of VideoMAE, V-JEPA 2 and ViViT; its options change speed
            and memory but not the features. None for models that are run as a whole.

    Raises:
        UserError: transformers is not installed; model, weights or settings are unknown or do not
            match; or the architecture has no class token.
    """

    block_loop: BlockLoop | None

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown weights, architectures and settings."""
        return config_faults(given)

    def __init__(
        self,
        model: Architecture | None = None,
        pretrained: NonEmptyStr | None = None,
        config: Mapping[str, Any] | None = None,
        pool: Literal["patches", "class"] | None = None,
    ) -> None:
        given = {"model": model, "pretrained": pretrained, "config": config}
        faults = list(config_faults(given))
        if faults:
            raise ArgumentError("HFVideoBackbone: ", faults)
        loaded = load(model, pretrained, config)
        trunk = TRUNKS[loaded.architecture](loaded, pool)
        loaded.require_weights(trunk)
        super().__init__(trunk)
        self.prefix, self.mlp_width = trunk.prefix, trunk.mlp_width
        self.block_loop = BlockLoop() if trunk.blocks else None

    def adapt(self, adapters: Sequence[Adapter]) -> None:
        """Attach one adapter to each block and make the trunk parameters they name trainable.

        Raises:
            UserError: The blocks do not take one of the adapters.
        """
        fits = self.trunk.fits
        for adapter in adapters:
            if not isinstance(adapter, fits):
                others = [kind.__name__ for kind in fits[1:]]
                raise UserError(
                    f"{type(adapter).__name__} needs the tokens of single frames, or another order "
                    f"of layers than {self.trunk.title} has. Choose an adapter that fits: "
                    + ", ".join([*TUNING, *others])
                    + "."
                )
        super().adapt(adapters)

    def output_frames(self, frames: int) -> int:
        """Number of time steps S of the features of a clip.

        Raises:
            UserError: The model takes clips of another length.
        """
        trunk = self.trunk
        if frames != trunk.frames:
            setting = trunk.source.frames
            other = f", or backbone.config.{setting}={frames}" if trunk.any_frames else ""
            raise UserError(
                f"{trunk.title} takes clips of {trunk.frames} frames, got {frames}. Set "
                f"clips.frames={trunk.frames}{other}."
            )
        return trunk.steps

    def forward(
        self, frames: Num[Tensor, "V T 3 H W"], text: Float[Tensor, "V E"] | None = None
    ) -> Float[Tensor, "V S D"]:
        """Features of every time step; see `fsarbench.interfaces.Backbone.forward`.

        Raises:
            UserError: The clips have another length or size than the model takes.
        """
        self.output_frames(frames.shape[1])
        if frames.shape[-1] != self.image_size:
            raise UserError(
                f"{self.trunk.title} takes images of {self.image_size} pixels, got "
                f"{frames.shape[-1]}. Set clips.size={self.image_size}."
            )
        clips = self.normalise(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        if self.block_loop is None:
            # The adapters are not called, because they would only run the unchanged block.
            return self.trunk(clips)
        # To adapters a clip is one frame with the tokens of all time steps.
        tokens = self.trunk.embed(clips)[:, None]
        pairs = list(zip(self.adapters, self.trunk.blocks, strict=True))
        return self.trunk.pool(self.block_loop(pairs, tokens, text)[:, 0])


# Adapters that only make parameters trainable, for messages.
TUNING = ("Frozen", "FullFineTuning", "PartialFineTuning", "NormTuning", "BiasTuning")
