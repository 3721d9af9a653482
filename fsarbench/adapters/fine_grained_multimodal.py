"""MA-FSAR's Fine-grained Multimodal Adaptation (Xing et al., arXiv 2308.01532, Section 3.3).

No code of the authors is public. What the paper does not print follows the methods it builds on;
the card says which. Names: c is the class tokens of a video, t the text token, Z the tokens of a
frame with both appended.
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
    """GTA, LMA and the joint adaptation of one block; each can be left out.

    Args:
        width: Token width C, offered by assembly.
        frames: Frames T of a clip, offered by assembly.
        text_dim: Text width E, offered by assembly; None without a text encoder.
        reduction: The token width over the inner width of every adapter.
        gta: Global Temporal Adaptation: a class token that has seen the other frames, and the
            temporal embedding. `skip` gives its adapter a skip of its own.
        lma: Local Multimodal Adaptation: the adapter after the attention over a frame's tokens.
            `no skip` leaves out its skip, and with it the attention at the start.
        text: The text token of LMA in the support branch; it starts at zero, or `random`.
        joint_scale: The factor r of the joint adaptation beside the MLP; 0 leaves it out.
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
        """The temporal embedding, which belongs to GTA."""
        return TemporalEmbedding(self.frames, self.width) if self.gta else None

    def forward(
        self, tokens: Float[Tensor, "V T L C"], block: Block, text: Float[Tensor, "V E"] | None
    ) -> Float[Tensor, "V T L C"]:
        """The adapted block; a query comes without text and gets no text token."""
        extra = []
        if self.gta is not None:
            extra.append(self.gta(tokens, block))
        if self.text is not None and text is not None:
            extra.append(self.text(text, tokens.shape[1]))
        attended = block.attend(block.norm1(torch.cat([tokens, *extra], dim=2)))
        # Only the frame's own tokens go on (Select), so the others need no adapter and no MLP.
        attended = attended[:, :, : tokens.shape[2]]
        tokens = tokens + (attended if self.lma is None else self.lma(attended))
        normed = block.norm2(tokens)
        changed = tokens + block.mlp(normed)
        return changed if self.joint_adaptation is None else changed + self.joint_adaptation(normed)


class GlobalTemporalAdaptation(nn.Module):
    """c~ = c + Adapter_T(MSA(LN1(c))), the block's own frozen attention used over time.

    On a trunk without class token its place is taken by the mean of a frame's tokens.

    Args:
        width: Token width C.
        hidden: Inner width of the adapter.
        skip: Whether the adapter has a skip of its own.
    """

    def __init__(self, width: int, hidden: int, skip: bool) -> None:
        super().__init__()
        self.adapter = Bottleneck(width, hidden)
        self.skip = skip

    def forward(self, tokens: Float[Tensor, "V T L C"], block: Block) -> Float[Tensor, "V T 1 C"]:
        """One temporal token a frame, from the class tokens of all frames."""
        # A copy: what is kept of a view for the backward pass would keep all tokens.
        classes = tokens[:, :, 0].clone() if block.prefix else tokens.mean(dim=2)
        attended = block.attend(block.norm1(classes))
        changed = self.adapter(attended)
        return (classes + (attended + changed if self.skip else changed)).unsqueeze(2)


class LocalMultimodalAdaptation(nn.Module):
    """Adapter_M; with its skip, at the start the attention's output is unchanged.

    Args:
        width: Token width C.
        hidden: Inner width of the adapter.
        skip: Whether the adapter has a skip of its own.
    """

    def __init__(self, width: int, hidden: int, skip: bool) -> None:
        super().__init__()
        self.adapter = Bottleneck(width, hidden)
        self.skip = skip

    def forward(self, attended: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """What is added to the tokens in place of the attention's output."""
        changed = self.adapter(attended)
        return attended + changed if self.skip else changed


class TextToken(nn.Linear):
    """TextFC: the class's text feature as one more token of every frame.

    It starts at zero (open in the paper): a token drawn at random would disturb the frozen
    attention of the support branch, and of it only, before anything is learnt.

    Args:
        text_dim: Text width E.
        width: Token width C.
    """

    def reset_parameters(self) -> None:
        """Zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(  # type: ignore[override]
        self, text: Float[Tensor, "V E"], frames: int
    ) -> Float[Tensor, "V T 1 C"]:
        """The same token for each of the frames."""
        return super().forward(text)[:, None, None].expand(-1, frames, 1, -1)


class JointAdaptation(nn.Module):
    """r Adapter_J(LN2(Y)), beside the block's MLP; no skip of its own.

    Args:
        width: Token width C.
        hidden: Inner width of the adapter.
        scale: The factor r.
    """

    def __init__(self, width: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.adapter = Bottleneck(width, hidden)

    def forward(self, normed: Float[Tensor, "V T L C"]) -> Float[Tensor, "V T L C"]:
        """What is added beside the MLP's output."""
        return self.scale * self.adapter(normed)
