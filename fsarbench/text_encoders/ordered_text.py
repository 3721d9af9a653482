"""CLIP's text tower with semantic order adapters (Task-Adapter++, arXiv 2505.06002)."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from fsarbench.arguments.value_rules import NonEmptyStr, PositiveInt, PromptTemplate
from fsarbench.backbones.openclip_library import ResidualAttentionBlock, open_clip
from fsarbench.errors import UserError
from fsarbench.layers import Bottleneck
from fsarbench.registry import TEXT_ENCODERS
from fsarbench.text_encoders.openclip_text import BATCH, OpenClipText, Prompts


@TEXT_ENCODERS.register_module()
class OrderedText(OpenClipText):
    """CLIP's text tower whose last blocks attend across the sentences of a class.

    The semantic order adapters of Task-Adapter++ (arXiv 2505.06002): after the attention of a
    block, its frozen attention runs once more, without the causal mask, at each token position over
    the sentences of a class (its sub-actions). A bottleneck with a skip connection is trained on
    the result; it starts at zero, so that the first features are those of CLIP. Each sentence of a
    class has a feature of its own.

    Args:
        model: Model name of open_clip, such as `ViT-B-16`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        prompts: Prompt templates with `{}` for the class name, one per sentence of a class.
        quick_gelu: Whether to use QuickGELU, as in OpenAI's weights; None follows the weights tag.
        corpus: JSON file with the same number of sentences for every class in place of prompts,
            see `fsarbench.text_encoders.corpus`.
        last: Number of adapted blocks.
        reduction: Token width divided by the hidden width of every adapter.

    Raises:
        UserError: `last` exceeds the blocks of the text tower, the tower is not CLIP's, or an
            argument is none that `OpenClipText` takes.
    """

    def __init__(
        self,
        model: NonEmptyStr,
        pretrained: NonEmptyStr | None = None,
        prompts: PromptTemplate | Prompts = ("a photo of {}",),
        quick_gelu: bool | None = None,
        corpus: NonEmptyStr | None = None,
        last: PositiveInt = 8,
        reduction: PositiveInt = 4,
    ) -> None:
        super().__init__(model, pretrained, prompts, quick_gelu, None, corpus, "all")
        blocks = self._blocks(model)
        if last > len(blocks):
            raise UserError(
                f"OrderedText: last={last}, but the text tower has {len(blocks)} blocks."
            )
        width = blocks[0].ln_1.normalized_shape[0]
        self.first = len(blocks) - last
        self.adapters = nn.ModuleList(Bottleneck(width, width // reduction) for _ in range(last))

    def _blocks(self, model: str) -> Sequence[ResidualAttentionBlock]:
        """Blocks of the text tower.

        Raises:
            UserError: They are not those of CLIP.
        """
        clip: Any = self.clip
        tower: Any = getattr(clip, "transformer", None)
        blocks = list(getattr(tower, "resblocks", ()))
        plain = all(type(block) is ResidualAttentionBlock for block in blocks)
        if not blocks or not plain or not tower.batch_first:
            raise UserError(
                f"OrderedText: the text tower of '{model}' is not CLIP's, with plain pre-norm "
                "blocks. Choose a CLIP model such as ViT-B-16, or the text encoder OpenClipText."
            )
        return blocks

    def forward(self, names: Sequence[str]) -> Float[Tensor, "N M E"]:
        """Features of the sentences of every class, not normalised.

        Raises:
            UserError: The corpus has no sentence for a class.
        """
        texts = self.texts(names)
        size = max(1, BATCH // self.sentences)
        return torch.cat(
            [self._encode_classes(texts[i : i + size]) for i in range(0, len(texts), size)]
        )

    def _encode_classes(self, texts: Sequence[Sequence[str]]) -> Float[Tensor, "N M E"]:
        clip: Any = self.clip
        flat = [text for sentences in texts for text in sentences]
        rows = self.tokenizer(flat).to(self.device)
        tokens = clip.token_embedding(rows) + clip.positional_embedding
        for index, block in enumerate(clip.transformer.resblocks):
            if index < self.first:
                tokens = block(tokens, attn_mask=clip.attn_mask)
            else:
                adapter = self.adapters[index - self.first]
                tokens = ordered_block(block, adapter, tokens, self.sentences, clip.attn_mask)
        pooled = pool_text(clip, clip.ln_final(tokens), rows)
        return pooled.unflatten(0, (-1, self.sentences))


def ordered_block(
    block: ResidualAttentionBlock,
    adapter: nn.Module,
    tokens: Float[Tensor, "B L C"],
    sentences: int,
    mask: Tensor,
) -> Float[Tensor, "B L C"]:
    """One block with attention across the sentences of each class.

    Args:
        block: Frozen block of the text tower.
        adapter: Module on the output of the attention across sentences.
        tokens: Tokens of all sentences, class by class.
        sentences: Sentences per class.
        mask: Causal mask of the tower.
    """
    tokens = tokens + block.ls_1(block.attention(block.ln_1(tokens), attn_mask=mask))
    by_position = tokens.unflatten(0, (-1, sentences)).transpose(1, 2).flatten(0, 1)
    across = block.attention(block.ln_1(by_position))
    by_sentence = across.unflatten(0, (-1, tokens.shape[1])).transpose(1, 2).flatten(0, 1)
    tokens = tokens + adapter(by_sentence)
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))


def pool_text(
    clip: Any, tokens: Float[Tensor, "B L C"], rows: Int[Tensor, "B L"]
) -> Float[Tensor, "B E"]:
    """Feature of each sentence from the tokens after the last norm, as open_clip pools them."""
    end = getattr(clip, "text_eos_id", None)
    pool = open_clip.transformer.text_global_pool
    pooled = pool(tokens, rows, clip.text_pool_type, eos_token_id=end)
    projection = clip.text_projection
    return projection(pooled) if isinstance(projection, nn.Module) else pooled @ projection
