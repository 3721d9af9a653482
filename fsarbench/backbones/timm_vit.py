"""Vision transformers of timm (Dosovitskiy et al., ICLR 2021, arXiv 2010.11929)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jaxtyping import Float
from timm.layers import Attention
from timm.models.vision_transformer import Block as Layer
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, PositiveInt, ShareWithZero
from fsarbench.backbones.timm_loader import config_faults, load
from fsarbench.backbones.vit import UNCHANGED, ViT, merged_weights, run_with
from fsarbench.errors import UserError
from fsarbench.interfaces import Block, Projection, TrunkSection
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class TimmViT(ViT):
    """Pooled features of a pre-norm vision transformer of timm: ImageNet, DINOv2, SigLIP, ...

    Args:
        model: Model name of timm, such as `vit_small_patch14_reg4_dinov2.lvd142m`.
        pretrained: True for timm's weights, a local file, or False for random weights.
        image_size: Side length of the input in pixels, with interpolated positions; None is the
            model's default.
        drop_path: Stochastic depth rate, used if the trunk has trainable parameters.

    Raises:
        UserError: The model is not a plain pre-norm ViT, or model or weights are unknown.
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
        drop_path: ShareWithZero = 0.0,
    ) -> None:
        super().__init__(TimmTrunk(model, load(model, pretrained, image_size, drop_path)))


class TimmTrunk(nn.Module):
    """Vision transformer of timm, split into embedding, blocks and pooling.

    All computation is the library's own code.

    Args:
        name: Model name, for error messages.
        model: Vision transformer.

    Raises:
        UserError: The model has layers that this split would skip.
    """

    def __init__(self, name: str, model: nn.Module) -> None:
        super().__init__()
        self.model = require_plain_vit(name, model)
        self.blocks: Sequence[Block] = [
            TimmBlock(layer, self.model.num_prefix_tokens) for layer in self.model.blocks
        ]
        self.depth = len(self.blocks)
        self.width, self.dim = self.model.embed_dim, self.model.head_hidden_size
        self.prefix = self.model.num_prefix_tokens
        self.grid = self.model.patch_embed.grid_size[0]
        self.mlp_width = inner_width(self.model.blocks[0].mlp)
        self.image_size = self.model.patch_embed.img_size[0]
        self.mean = tuple(self.model.pretrained_cfg["mean"])
        self.std = tuple(self.model.pretrained_cfg["std"])

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before the blocks: patches, class token, registers, positions, CLIP's norm."""
        return self.norm_before_blocks(self.embed_before_norm(images))

    def embed_before_norm(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before CLIP's norm, which most models lack."""
        return self.model.patch_drop(self.model._pos_embed(self.model.patch_embed(images)))

    def norm_before_blocks(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """CLIP's norm in front of the blocks, or the identity."""
        return self.model.norm_pre(tokens)

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """Pooling of the model: class token, mean, or SigLIP's attention."""
        return self.model.forward_head(self.model.norm(tokens), pre_logits=True)

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the trunk that holds a parameter, and its block index."""
        _, part, *rest = name.split(".")
        if part == "blocks":
            return "block", int(rest[0])
        return ("pool", 0) if part in ("norm", "fc_norm", "attn_pool") else ("embed", 0)


def require_plain_vit(name: str, model: Any) -> VisionTransformer:
    """The model, if running its blocks one by one is equivalent to its own forward.

    Raises:
        UserError: The model has an unsupported type or layer.
    """
    if type(model) is not VisionTransformer:
        raise UserError(
            f"TimmViT: '{name}' is {type(model).__name__}, not a plain VisionTransformer of timm. "
            "Choose a model such as vit_base_patch16_224, or TimmCNN for convolutional networks."
        )
    for layer in model.blocks:
        checked = layer if type(layer) is not Layer else layer.attn
        if type(checked) not in (Layer, Attention):
            raise UserError(
                f"TimmViT: '{name}' has blocks with {type(checked).__name__}; only timm's pre-norm "
                "Block with plain Attention is supported."
            )
    return model


def inner_width(mlp: Any) -> int:
    """Hidden width of a plain two-layer MLP; 0 for a gated MLP."""
    first, second = mlp.fc1.out_features, mlp.fc2.in_features
    return first if first == second else 0


class TimmBlock:
    """View of one pre-norm `Block`; `attend` and `mlp` include layer scale and drop path.

    Args:
        block: Block of timm.
        prefix: Number of tokens before the patches.
        changes: Weight deltas of projections.
    """

    def __init__(
        self, block: Layer, prefix: int, changes: Mapping[Projection, Tensor] = UNCHANGED
    ) -> None:
        self.block, self.prefix = block, prefix
        self.attention_weights = merged_weights(
            block.attn, changes, {"q": "qkv.weight", "o": "proj.weight"}
        )
        self.mlp_weights = merged_weights(
            block.mlp, changes, {"up": "fc1.weight", "down": "fc2.weight"}
        )

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the attention."""
        return self.block.norm1(tokens)

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention over L; timm's attention takes only one leading axis."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        mixed = self.block.ls1(run_with(self.block.attn, self.attention_weights, flat))
        return self.block.drop_path1(mixed).reshape(tokens.shape)

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the MLP."""
        return self.block.norm2(tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens; drop path drops whole frames."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        changed = self.block.ls2(run_with(self.block.mlp, self.mlp_weights, flat))
        return self.block.drop_path2(changed).reshape(tokens.shape)

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Forward of the block, residuals included."""
        tokens = tokens + self.attend(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "TimmBlock":
        """The same block with weight deltas added to its projections."""
        return TimmBlock(self.block, self.prefix, changes)
