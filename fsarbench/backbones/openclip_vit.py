"""CLIP's vision transformer (Radford et al., ICML 2021, arXiv 2103.00020) from open_clip."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr
from fsarbench.backbones.openclip_library import (
    ResidualAttentionBlock,
    VisionTransformer,
    open_clip,
)
from fsarbench.backbones.openclip_loader import config_faults, load
from fsarbench.backbones.vit import UNCHANGED, ViT, merged_weights, run_with
from fsarbench.errors import UserError
from fsarbench.interfaces import Block, Projection, TrunkSection
from fsarbench.registry import BACKBONES

SLOPE = 1.702


class QuickGELU(nn.Module):
    """x sigmoid(1.702 x), as in CLIP (Radford et al., arXiv 2103.00020), with less memory.

    Only x is saved for the backward pass. The usual implementation also saves the sigmoid, four
    token widths per block. Values and gradients are bit-identical.
    """

    def forward(self, inputs: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Activations, element by element."""
        return _Recomputed.apply(inputs)


class _Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, inputs: Tensor) -> Tensor:
        context.save_for_backward(inputs)
        return inputs * torch.sigmoid(SLOPE * inputs)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (inputs,) = context.saved_tensors
        gate = torch.sigmoid(SLOPE * inputs)
        through = torch.ops.aten.sigmoid_backward(gradient * inputs, gate)
        # In place: with activation checkpointing, the peak memory of a step is here.
        return gate.mul_(gradient).add_(through.mul_(SLOPE))


@BACKBONES.register_module()
class OpenClipViT(ViT):
    """Vision transformer of open_clip: class token in CLIP's joint feature space, or before it.

    Args:
        model: Model name of open_clip, such as `ViT-B-16`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        quick_gelu: Whether to use QuickGELU, as in OpenAI's weights; None follows the weights tag.
        project: Whether to project the class token to the joint space of images and texts. False
            gives it after the last norm (`ln_post`), at the width of the tokens, as AIM and
            D2ST-Adapter read it; the backbone then has no projection.

    Raises:
        UserError: The image tower is not a plain ViT, or model or weights are unknown.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown model or weights."""
        return config_faults(given)

    def __init__(
        self,
        model: NonEmptyStr,
        pretrained: NonEmptyStr | None = None,
        quick_gelu: bool | None = None,
        project: bool = True,
    ) -> None:
        visual = load(model, pretrained, quick_gelu).visual
        if not isinstance(visual, VisionTransformer):
            raise UserError(
                f"OpenClipViT: the image tower of '{model}' is {type(visual).__name__}, not a "
                "VisionTransformer of open_clip. Choose a ViT model such as ViT-B-16."
            )
        super().__init__(OpenClipTrunk(model, visual, project))


class OpenClipTrunk(nn.Module):
    """Image tower of open_clip, split into embedding, blocks and pooling.

    All computation is the library's own code.

    Args:
        model: Model name, for error messages.
        visual: Image tower.
        project: Whether the features are projected to the joint space.
    """

    def __init__(self, model: str, visual: VisionTransformer, project: bool = True) -> None:
        super().__init__()
        self.visual = visual
        if not project:
            # Unused weights must be neither trainable nor counted.
            visual.proj = None
        blocks = list(visual.transformer.resblocks)
        for block in blocks:
            if type(block) is not ResidualAttentionBlock:
                raise UserError(
                    f"OpenClipViT: '{model}' has blocks of type {type(block).__name__}; only the "
                    "plain pre-norm ResidualAttentionBlock is supported."
                )
            if type(block.mlp.gelu) is open_clip.transformer.QuickGELU:
                block.mlp.gelu = QuickGELU()
        # Views are not modules, so that each parameter has only one name.
        self.blocks: Sequence[Block] = [OpenClipBlock(block) for block in blocks]
        self.depth = len(blocks)
        self.mlp_width = blocks[0].mlp.c_fc.out_features
        self.width = visual.conv1.out_channels
        self.dim = visual.output_dim if project else self.width
        self.prefix = 1
        self.grid = visual.grid_size[0]
        self.image_size = visual.image_size[0]
        self.mean = tuple(visual.preprocess_cfg["mean"])
        self.std = tuple(visual.preprocess_cfg["std"])

    def embed(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before the blocks: patches, class token, positions, first norm."""
        return self.visual._embeds(images)

    def embed_before_norm(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B L C"]:
        """Tokens before the norm in front of the blocks: patches, class token, positions."""
        # The library has no function for this part. A shallow copy of the tower shares all its
        # parameters, so the library's own code can run without its norm.
        bare = copy.copy(self.visual)
        bare._modules = {**self.visual._modules, "ln_pre": nn.Identity()}
        return bare._embeds(images)

    def norm_before_blocks(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """CLIP's norm in front of the blocks."""
        return self.visual.ln_pre(tokens)

    def pool(self, tokens: Float[Tensor, "B L C"]) -> Float[Tensor, "B D"]:
        """Class token after the last norm and, where there is one, the projection."""
        pooled, _ = self.visual._pool(tokens)
        return pooled if self.visual.proj is None else pooled @ self.visual.proj

    def locate(self, name: str) -> tuple[TrunkSection, int]:
        """Part of the trunk that holds a parameter, and its block index."""
        path = name.split(".")
        if "resblocks" in path:
            return "block", int(path[path.index("resblocks") + 1])
        return ("pool", 0) if path[1] in ("ln_post", "proj") else ("embed", 0)


class OpenClipBlock:
    """View of one `ResidualAttentionBlock`.

    Args:
        block: Block of open_clip; `attend` and `mlp` include its layer scale.
        changes: Weight deltas of projections.
    """

    prefix = 1

    def __init__(
        self, block: ResidualAttentionBlock, changes: Mapping[Projection, Tensor] = UNCHANGED
    ) -> None:
        self.block = block
        self.attention_weights = merged_weights(
            block.attn, changes, {"q": "in_proj_weight", "o": "out_proj.weight"}
        )
        self.mlp_weights = merged_weights(
            block.mlp, changes, {"up": "c_fc.weight", "down": "c_proj.weight"}
        )

    def norm1(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the attention."""
        return self.block.ln_1(tokens)

    def attend(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Self-attention over L; `nn.MultiheadAttention` takes one leading axis only."""
        flat = tokens.reshape(-1, *tokens.shape[-2:])
        weights = self.attention_weights
        mixed, _ = run_with(self.block.attn, weights, flat, flat, flat, need_weights=False)
        return self.block.ls_1(mixed).reshape(tokens.shape)

    def norm2(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Normalisation before the MLP."""
        return self.block.ln_2(tokens)

    def mlp(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """MLP of normalised tokens."""
        return self.block.ls_2(run_with(self.block.mlp, self.mlp_weights, tokens))

    def __call__(self, tokens: Float[Tensor, "*B L C"]) -> Float[Tensor, "*B L C"]:
        """Forward of the block, residuals included."""
        tokens = tokens + self.attend(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def reweighted(self, changes: Mapping[Projection, Tensor]) -> "OpenClipBlock":
        """The same block with weight deltas added to its projections."""
        return OpenClipBlock(self.block, changes)
