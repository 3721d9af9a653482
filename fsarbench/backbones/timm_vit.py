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
from fsarbench.backbones.vit import ViT
from fsarbench.backbones.weight_deltas import NONE, merge, run
from fsarbench.errors import UserError
from fsarbench.interfaces import Block, Projection, TrunkPart
from fsarbench.registry import BACKBONES


@BACKBONES.register_module()
class TimmViT(ViT):
    """Any pre-norm vision transformer of timm: ImageNet, DINOv2, SigLIP, ...; its pooled features.

    Args:
        model: timm's model name, such as `vit_small_patch14_reg4_dinov2.lvd142m`.
        pretrained: True for timm's own weights, a local file, or False for random weights.
        image_size: Pixels of a side; None is the model's own. Positions are interpolated.
        drop_path: The rate of stochastic depth where the trunk is tuned.

    Raises:
        UserError: The model is no plain pre-norm ViT, or model or weights are not known.
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
        drop_path: ShareWithZero = 0.0,
    ) -> None:
        super().__init__(TimmTrunk(model, load(model, pretrained, image_size, drop_path)))


class TimmTrunk(nn.Module):
    """A timm vision transformer taken apart; no forward of the library is rewritten.

    Args:
        name: The model's name, for messages.
        model: The transformer.

    Raises:
        UserError: It has a part that the walk would pass by.
    """

    def __init__(self, name: str, model: nn.Module) -> None:
        super().__init__()
        self.model = walkable(name, model)
        self.blocks: Sequence[Block] = [
            TimmBlock(layer, self.model.num_prefix_tokens) for layer in self.model.blocks
        ]
        self.depth = len(self.blocks)
        self.width, self.dim = self.model.embed_dim, self.model.head_hidden_size
        self.prefix = self.model.num_prefix_tokens
        self.mlp_width = inner_width(self.model.blocks[0].mlp)
        self.image_size = self.model.patch_embed.img_size[0]
        self.mean = tuple(self.model.pretrained_cfg["mean"])
        self.std = tuple(self.model.pretrained_cfg["std"])

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Patches, class token, registers, positions, and CLIP's norm before the blocks."""
        tokens = self.model._pos_embed(self.model.patch_embed(images))
        return self.model.norm_pre(self.model.patch_drop(tokens))

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """The model's own pooling: class token, mean, or SigLIP's attention."""
        return self.model.forward_head(self.model.norm(tokens), pre_logits=True)

    def locate(self, name: str) -> tuple[TrunkPart, int]:
        """The part of the walk that a parameter of this module belongs to."""
        _, part, *rest = name.split(".")
        if part == "blocks":
            return "block", int(rest[0])
        return ("pool", 0) if part in ("norm", "fc_norm", "attn_pool") else ("embed", 0)


def walkable(name: str, model: Any) -> VisionTransformer:
    """The model, if nothing of its forward is lost when its blocks are walked one by one.

    Raises:
        UserError: It is of another kind; the message names the part.
    """
    if type(model) is not VisionTransformer:
        raise UserError(
            f"TimmViT: '{name}' is {type(model).__name__}, no plain VisionTransformer of timm. "
            "Choose a model such as vit_base_patch16_224; TimmCNN takes convolutional networks."
        )
    for layer in model.blocks:
        other = layer if type(layer) is not Layer else layer.attn
        if type(other) not in (Layer, Attention):
            raise UserError(
                f"TimmViT: '{name}' has blocks with {type(other).__name__}; only timm's pre-norm "
                "Block with plain Attention can be walked."
            )
    return model


def inner_width(mlp: Any) -> int:
    """The width between the two layers of a plain MLP; 0 for a gated one."""
    first, second = mlp.fc1.out_features, mlp.fc2.in_features
    return first if first == second else 0


class TimmBlock:
    """A view of one pre-norm `Block`; layer scale and drop path are inside `attend` and `mlp`.

    Args:
        block: timm's block.
        prefix: Tokens before the patches.
        changes: What is added to the weights of projections.
    """

    def __init__(
        self, block: Layer, prefix: int, changes: Mapping[Projection, Tensor] = NONE
    ) -> None:
        self.block, self.prefix = block, prefix
        self.attention_weights = merge(block.attn, changes, {"q": "qkv.weight", "o": "proj.weight"})
        self.mlp_weights = merge(block.mlp, changes, {"up": "fc1.weight", "down": "fc2.weight"})

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The norm before the attention."""
        return self.block.norm1(tokens)

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention over L; timm's takes one leading axis only."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        mixed = self.block.ls1(run(self.block.attn, self.attention_weights, flat))
        return self.block.drop_path1(mixed).reshape(tokens.shape)

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The norm before the MLP."""
        return self.block.norm2(tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The MLP of normalised tokens; drop path drops whole frames."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        changed = self.block.ls2(run(self.block.mlp, self.mlp_weights, flat))
        return self.block.drop_path2(changed).reshape(tokens.shape)

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """The whole block."""
        tokens = tokens + self.attend(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "TimmBlock":
        """The same block with changes added to the weights of its projections."""
        return TimmBlock(self.block, self.prefix, changes)
