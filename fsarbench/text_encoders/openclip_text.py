"""CLIP's text encoder (Radford et al., ICML 2021, arXiv 2103.00020) from open_clip, frozen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import open_clip
import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, NotEmpty, PromptTemplate
from fsarbench.backbones.openclip_loader import config_faults, load
from fsarbench.interfaces import TextEncoder
from fsarbench.registry import TEXT_ENCODERS

Prompts = Annotated[Sequence[PromptTemplate], NotEmpty()]


@TEXT_ENCODERS.register_module()
class OpenClipText(TextEncoder):
    """Frozen text tower; the features of all prompts of a class are averaged.

    Args:
        model: Model name of open_clip, such as `ViT-B-16`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        prompts: Prompt templates with `{}` for the class name.
        quick_gelu: Whether to use QuickGELU, as in OpenAI's weights; None follows the weights tag.

    Raises:
        UserError: A prompt has no `{}`, or model or weights are unknown.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown model or weights."""
        return config_faults(given)

    def __init__(
        self,
        model: NonEmptyStr,
        pretrained: NonEmptyStr | None = None,
        prompts: PromptTemplate | Prompts = ("a photo of {}",),
        quick_gelu: bool | None = None,
    ) -> None:
        super().__init__()
        self.prompts = (prompts,) if isinstance(prompts, str) else tuple(prompts)
        # The image tower is removed; the logit scale and the text tower remain.
        clip: Any = load(model, pretrained, quick_gelu)
        clip.visual = None
        self.clip = clip
        self.tokenizer = open_clip.get_tokenizer(model)
        with torch.no_grad():
            self.dim = self.forward(["anything"]).shape[-1]

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.clip.parameters()).device

    def train(self, mode: bool = True) -> "OpenClipText":
        """Set the mode as in torch; the frozen tower stays in evaluation mode."""
        super().train(mode)
        self.clip.eval()
        return self

    @torch.no_grad()
    def forward(self, names: Sequence[str]) -> Float[Tensor, "N M E"]:
        """One feature per class name, not normalised, without gradient."""
        texts = [prompt.format(name) for name in names for prompt in self.prompts]
        clip: Any = self.clip
        features = clip.encode_text(self.tokenizer(texts).to(self.device))
        return features.unflatten(0, (len(names), len(self.prompts))).mean(dim=1, keepdim=True)
