"""MA-FSAR's Fine-grained Multimodal Adaptation (Xing et al., arXiv 2308.01532, Section 3.3).

No code of the authors is public. Details that the paper leaves open follow the methods it builds
on; the card lists them. Notation: c are the class tokens of a video, t is the text token, Z are the
tokens of a frame with both appended.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.errors import UserError
from fsarbench.interfaces import Adapter, Block
from fsarbench.layers import Bottleneck, TemporalEmbedding
from fsarbench.registry import ADAPTERS


@ADAPTERS.register_module()
class FineGrainedMultimodal(Adapter):
    """GTA, LMA and joint adaptation of one block; each can be turned off.

    Args:
        width: Token width C, filled in from the backbone.
        frames: Frames T of a clip, filled in from the config.
        text_dim: Text width E, filled in from the text encoder; None without one.
        reduction: Token width divided by the hidden width of every adapter.
        gta: Global Temporal Adaptation: a temporal token, computed from the class tokens of all
            frames, and the temporal embedding. `skip` adds a skip connection around its adapter.
        lma: Local Multimodal Adaptation: the adapter after the attention over a frame's tokens.
            `no skip` removes its skip connection, so that the attention's output starts at zero.
        text: Text token of LMA for support videos, initialised to zero, or `random`.
        joint_scale: Factor r of the joint adaptation in parallel to the MLP; 0 removes it.
    """

    uses_text = True

    def __init__(
        self,
        width: int,
        frames: int,
        text_dim: int | None = None,
        reduction: PositiveInt = 4,
        gta: bool | Literal["skip"] = True,
        lma: bool | Literal["no skip"] = True,
        text: bool | Literal["random"] = True,
        joint_scale: float = 0.5,
    ) -> None:
        super().__init__()
        hidden = width // reduction
        if text and text_dim is None:
            raise UserError(
                "FineGrainedMultimodal: text=True needs a text_encoder; add one or set text=False."
            )
        self.uses_text = bool(text)  # type: ignore[misc]
        self.width, self.frames = width, frames
        self.gta = GlobalTemporalAdaptation(width, hidden, gta == "skip") if gta else None
        self.lma = LocalMultimodalAdaptation(width, hidden, lma != "no skip") if lma else None
        self.text = TextToken(text_dim, width) if text and text_dim else None
        if self.text is not None and text == "random":
            nn.Linear.reset_parameters(self.text)
        self.joint_adaptation = JointAdaptation(width, hidden, joint_scale) if joint_scale else None

    def entry(self) -> nn.Module | None:
        """Temporal embedding, a part of GTA."""
        return TemporalEmbedding(self.frames, self.width) if self.gta else None

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """Tokens after the adapted block; queries have no text and thus no text token."""
        extra = []
        if self.gta is not None:
            extra.append(self.gta(tokens, block))
        if self.text is not None and text is not None:
            extra.append(self.text(text, tokens.shape[1]))
        attended = block.attend(block.norm1(torch.cat([tokens, *extra], dim=2)))
        # Only the frame's own tokens are kept (Select); the others need no adapter and no MLP.
        attended = attended[:, :, : tokens.shape[2]]
        tokens = tokens + (attended if self.lma is None else self.lma(attended))
        normed = block.norm2(tokens)
        output = tokens + block.mlp(normed)
        return output if self.joint_adaptation is None else output + self.joint_adaptation(normed)


class GlobalTemporalAdaptation(nn.Module):
    """c~ = c + Adapter_T(MSA(LN1(c))), with the block's frozen attention over time.

    For trunks without a class token, c is the mean of a frame's tokens.

    Args:
        width: Token width C.
        hidden: Hidden width of the adapter.
        skip: Whether the adapter has a skip connection.
    """

    def __init__(self, width: int, hidden: int, skip: bool) -> None:
        super().__init__()
        self.adapter = Bottleneck(width, hidden)
        self.skip = skip

    def forward(self, tokens: Float[Tensor, "V T L C"], block: Block) -> Float[Tensor, "V T 1 C"]:
        """One temporal token per frame, from the class tokens of all frames."""
        # A copy: a view saved for the backward pass would keep all tokens in memory.
        class_tokens = tokens[:, :, 0].clone() if block.prefix else tokens.mean(dim=2)
        attended = block.attend(block.norm1(class_tokens))
        change = self.adapter(attended)
        return (class_tokens + (attended + change if self.skip else change)).unsqueeze(2)


class LocalMultimodalAdaptation(nn.Module):
    """Adapter_M; with a skip connection it initially leaves the attention's output unchanged.

    Args:
        width: Token width C.
        hidden: Hidden width of the adapter.
        skip: Whether the adapter has a skip connection.
    """

    def __init__(self, width: int, hidden: int, skip: bool) -> None:
        super().__init__()
        self.adapter = Bottleneck(width, hidden)
        self.skip = skip

    def forward(self, attended: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """Adapted output of the attention."""
        change = self.adapter(attended)
        return attended + change if self.skip else change


class TextToken(nn.Linear):
    """TextFC: maps the text feature of the class to one additional token of every frame.

    Initialised to zero (the paper does not say): a random token would disturb the frozen attention
    of the support branch only, before anything is learnt.

    Args:
        text_dim: Text width E.
        width: Token width C.
    """

    def reset_parameters(self) -> None:
        """Set weight and bias to zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(  # type: ignore[override]
        self, text: Float[Tensor, "V E"], frames: int
    ) -> Float[Tensor, "V T 1 C"]:
        """Text token, the same for all frames."""
        return super().forward(text)[:, None, None].expand(-1, frames, 1, -1)


class JointAdaptation(nn.Module):
    """r Adapter_J(LN2(Y)), in parallel to the block's MLP, without a skip connection.

    Args:
        width: Token width C.
        hidden: Hidden width of the adapter.
        scale: Factor r.
    """

    def __init__(self, width: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.adapter = Bottleneck(width, hidden)

    def forward(self, normed: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """Term that is added to the MLP's output."""
        return self.scale * self.adapter(normed)
