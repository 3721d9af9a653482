"""Video models of transformers behind one interface: frames of clips to one feature per time step.

All computation is the library's own code. Tokens are averaged over the patches of each time step,
which is a frame, or a tubelet of several frames.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.adapters.adapt_former import AdaptFormer
from fsarbench.adapters.frozen import TrunkTuning
from fsarbench.adapters.lora import LoRA
from fsarbench.adapters.visual_prompts import VisualPrompts
from fsarbench.backbones.hf_blocks import VideoMAEBlock, VivitBlock, VJEPA2Block
from fsarbench.backbones.hf_loader import SOURCES, Loaded
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block, TrunkSection

# Norms after the last block, by the last but one part of a parameter's name.
LAST_NORMS = ("layernorm", "post_layernorm", "norm")


class VideoTrunk(nn.Module):
    """Video model of transformers with the attributes of `fsarbench.backbones.base.Trunk`.

    Args:
        loaded: Model with its normalisation.
        pool: Features: mean of the `patches` of each time step, or the `class` token; None for the
            architecture's own choice.

    Attributes:
        title: Name of the architecture in messages.
        pools: Possible values of `pool`, the default first.
        fits: Adapters that the blocks take.
        settings: Settings of the model (transformers calls them config).
        frames: Number of frames of a clip.
        steps: Number of time steps S of the features.

    Raises:
        UserError: The architecture has no class token, or its sizes do not fit together.
    """

    title: str
    pools: tuple[str, ...] = ("patches",)
    fits: tuple[type[Adapter], ...] = (TrunkTuning,)
    blocks: Sequence[Block] = ()
    # Whether the weights serve any number of frames.
    any_frames: bool = False

    def __init__(self, loaded: Loaded, pool: str | None = None) -> None:
        super().__init__()
        self.architecture, self.source = loaded.architecture, SOURCES[loaded.architecture]
        self.model, self.settings = self.kept(loaded.model), loaded.model.config
        if pool is not None and pool not in self.pools:
            raise UserError(f"pool='{pool}': {self.title} has no class token; set pool='patches'.")
        self.pooling = pool or self.pools[0]
        self.frames = getattr(self.settings, self.source.frames)
        self.image_size = square(getattr(self.settings, self.source.size))
        self.mean, self.std = loaded.mean, loaded.std
        self.width = self.dim = self.settings.hidden_size
        self.depth = self.settings.num_hidden_layers
        self.prefix, self.mlp_width = 0, 0
        if self.frames % self.tubelet:
            raise UserError(
                f"{self.title}: {self.source.frames}={self.frames} is no multiple of the "
                f"{self.tubelet} frames of a tubelet."
            )
        self.steps = 1 if self.whole_clip else self.frames // self.tubelet

    def kept(self, model: Any) -> Any:
        """Part of the library's model that the features need."""
        return model

    @property
    def tubelet(self) -> int:
        """Frames per time step."""
        return 1

    @property
    def whole_clip(self) -> bool:
        """Whether the feature is the class token of the whole clip."""
        return self.pooling == "class"

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the trunk that holds a parameter, and its block index."""
        block = re.search(r"\.layers?\.(\d+)\.", name)
        if block is not None:
            return "block", int(block[1])
        return ("pool", 0) if name.split(".")[-2] in LAST_NORMS else ("embed", 0)


class JointTrunk(VideoTrunk):
    """Model whose blocks attend jointly over space and time; they can be run one by one.

    A clip is one sequence of tokens "V L C", ordered by time step.
    """

    fits: tuple[type[Adapter], ...] = (TrunkTuning, LoRA, AdaptFormer, VisualPrompts)

    def embed(self, clips: Float[Tensor, "V T 3 H W"]) -> Float[Tensor, "V L C"]:
        """Tokens before the first block."""
        return self.model.embeddings(clips)

    def pool(self, tokens: Float[Tensor, "V L C"]) -> Float[Tensor, "V S D"]:
        """Features from the tokens after the last block."""
        return self.averaged(self.model.layernorm(tokens))

    def averaged(self, tokens: Float[Tensor, "V L C"]) -> Float[Tensor, "V S C"]:
        """Mean of the patches of each time step."""
        return tokens[:, self.prefix :].unflatten(1, (self.frames // self.tubelet, -1)).mean(2)


class VideoMAETrunk(JointTrunk):
    """VideoMAE (Tong et al., NeurIPS 2022, arXiv 2203.12602).

    Weights that were fine-tuned for classification have their last norm in the classifier, behind
    the mean over the tokens; here it follows the mean over the patches of a time step.
    """

    title = "VideoMAE"
    any_frames = True

    def __init__(self, loaded: Loaded, pool: str | None = None) -> None:
        super().__init__(loaded, pool)
        self.norm = loaded.model.fc_norm
        self.mlp_width = self.settings.intermediate_size
        # As a buffer the table of positions is moved to the device once, not in every forward.
        embeddings = self.model.embeddings
        positions = embeddings.position_embeddings.to(next(self.model.parameters()).device)
        del embeddings.position_embeddings
        embeddings.register_buffer("position_embeddings", positions, persistent=False)
        self.blocks = [VideoMAEBlock(layer) for layer in self.model.encoder.layer]

    def kept(self, model: Any) -> Any:
        """Encoder without the classifier."""
        return model.videomae

    @property
    def tubelet(self) -> int:
        """Frames per time step."""
        return self.settings.tubelet_size

    def embed(self, clips: Float[Tensor, "V T 3 H W"]) -> Float[Tensor, "V L C"]:
        """Tokens of all tubelets, without masking."""
        return self.model.embeddings(clips, None)

    def pool(self, tokens: Float[Tensor, "V L C"]) -> Float[Tensor, "V S D"]:
        """Means of the normalised patches, or normalised means after fine-tuning."""
        if self.norm is not None:
            return self.norm(self.averaged(tokens))
        return super().pool(tokens)


class VivitTrunk(JointTrunk):
    """ViViT, model 1 with joint attention (Arnab et al., ICCV 2021, arXiv 2103.15691)."""

    title = "ViViT"
    pools = ("patches", "class")

    def __init__(self, loaded: Loaded, pool: str | None = None) -> None:
        super().__init__(loaded, pool)
        self.prefix, self.mlp_width = 1, self.settings.intermediate_size
        self.blocks = [VivitBlock(layer) for layer in self.model.layers]

    @property
    def tubelet(self) -> int:
        """Frames per time step."""
        return self.settings.tubelet_size[0]

    def pool(self, tokens: Float[Tensor, "V L C"]) -> Float[Tensor, "V S D"]:
        """Means of the normalised patches, or the one normalised class token of the clip."""
        if self.whole_clip:
            return self.model.layernorm(tokens)[:, :1]
        return super().pool(tokens)


class VJEPA2Trunk(JointTrunk):
    """Encoder of V-JEPA 2 (Assran et al., 2025, arXiv 2506.09985)."""

    title = "V-JEPA 2"
    any_frames = True
    # Rotary positions are derived from the index of a token: a prompt would be one more patch.
    fits = (TrunkTuning, LoRA, AdaptFormer)

    def __init__(self, loaded: Loaded, pool: str | None = None) -> None:
        super().__init__(loaded, pool)
        self.mlp_width = int(self.width * self.settings.mlp_ratio)
        self.blocks = [VJEPA2Block(layer) for layer in self.model.layer]

    def kept(self, model: Any) -> Any:
        """Encoder without the predictor."""
        return model.encoder

    @property
    def tubelet(self) -> int:
        """Frames per time step."""
        return self.settings.tubelet_size


class TimesformerTrunk(VideoTrunk):
    """TimeSformer (Bertasius et al., ICML 2021, arXiv 2102.05095), attention over time then space.

    Raises:
        UserError: The model attends over space only.
    """

    title = "TimeSformer"
    pools = ("patches", "class")

    def __init__(self, loaded: Loaded, pool: str | None = None) -> None:
        super().__init__(loaded, pool)
        if self.settings.attention_type == "space_only":
            raise UserError(
                "TimeSformer: attention_type='space_only' is not supported; transformers does not "
                "put its frames together again. Choose 'divided_space_time'."
            )

    def forward(self, clips: Float[Tensor, "V T 3 H W"]) -> Float[Tensor, "V S D"]:
        """Means of the normalised patches of each frame, or the class token of the clip."""
        tokens = self.model(clips).last_hidden_state
        if self.whole_clip:
            return tokens[:, :1]
        # The frames of a patch are neighbours.
        return tokens[:, 1:].unflatten(1, (-1, self.frames)).mean(1)


class XCLIPTrunk(VideoTrunk):
    """Vision tower of X-CLIP (Ni et al., ECCV 2022, arXiv 2208.02816).

    Frames exchange one message token per block. Each frame has its own class token.
    """

    title = "X-CLIP"
    pools = ("class", "patches")

    @property
    def whole_clip(self) -> bool:
        """False: each frame has its own class token."""
        return False

    def forward(self, clips: Float[Tensor, "V T 3 H W"]) -> Float[Tensor, "V S D"]:
        """Normalised class token of each frame, or the mean of its normalised patches."""
        out = self.model(clips.flatten(0, 1))
        if self.pooling == "class":
            return out.pooler_output.unflatten(0, (-1, self.frames))
        patches = self.model.post_layernorm(out.last_hidden_state[:, 1:])
        return patches.mean(1).unflatten(0, (-1, self.frames))


TRUNKS: Mapping[str, type[VideoTrunk]] = {
    "videomae": VideoMAETrunk,
    "vjepa2": VJEPA2Trunk,
    "timesformer": TimesformerTrunk,
    "vivit": VivitTrunk,
    "xclip": XCLIPTrunk,
}


def square(size: int | Sequence[int]) -> int:
    """Side length of square images.

    Raises:
        UserError: The images are not square.
    """
    sides = [size, size] if isinstance(size, int) else list(size)
    if sides[0] != sides[1]:
        raise UserError(f"image_size={sides}: only square images are supported.")
    return sides[0]
