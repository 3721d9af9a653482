"""CLIP's text encoder (Radford et al., ICML 2021, arXiv 2103.00020) from open_clip, frozen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from fsarbench.arguments.signatures import Conflict
from fsarbench.arguments.value_rules import NonEmptyStr, NotEmpty, PromptTemplate
from fsarbench.backbones.openclip_library import open_clip
from fsarbench.backbones.openclip_loader import config_faults, load
from fsarbench.errors import UserError
from fsarbench.interfaces import TextEncoder
from fsarbench.registry import TEXT_ENCODERS
from fsarbench.text_encoders.corpus import Corpus

Ensemble = Literal["openai", "openai_simple"]
# Texts per call of the text tower: 100 classes with 80 prompts would not fit into GPU memory.
BATCH = 512
Prompts = Annotated[Sequence[PromptTemplate], NotEmpty()]


@TEXT_ENCODERS.register_module()
class OpenClipText(TextEncoder):
    """Frozen text tower of CLIP, on prompts around the class names or on sentences of a corpus.

    Args:
        model: Model name of open_clip, such as `ViT-B-16`.
        pretrained: Weights tag of open_clip, a local file, or None for random weights.
        prompts: Prompt templates with `{}` for the class name.
        quick_gelu: Whether to use QuickGELU, as in OpenAI's weights; None follows the weights tag.
        ensemble: Prompt templates of CLIP for ImageNet in place of `prompts`: `openai` (80) or
            `openai_simple` (7), as open_clip has them.
        corpus: JSON file of sentences per class in place of prompts, see
            `fsarbench.text_encoders.corpus`.
        sentences: `mean` averages the features of all prompts or sentences of a class (M = 1),
            `all` keeps each (M is their number).

    Raises:
        UserError: A prompt has no `{}`, model or weights are unknown, or the corpus cannot be read.
    """

    @classmethod
    def config_faults(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Unknown model or weights, a corpus that cannot be read, and contradicting sources."""
        yield from config_faults(given)
        if given.get("ensemble") and given.get("corpus"):
            yield ("ensemble", "corpus"), "ensemble and corpus are both given; choose one"
        if given.get("corpus"):
            try:
                corpus = Corpus(given["corpus"])
                if given.get("sentences") == "all":
                    corpus.count()
            except UserError as error:
                yield ("corpus",), str(error)

    def __init__(
        self,
        model: NonEmptyStr,
        pretrained: NonEmptyStr | None = None,
        prompts: PromptTemplate | Prompts = ("a photo of {}",),
        quick_gelu: bool | None = None,
        ensemble: Ensemble | None = None,
        corpus: NonEmptyStr | None = None,
        sentences: Literal["mean", "all"] = "mean",
    ) -> None:
        super().__init__()
        templates = (prompts,) if isinstance(prompts, str) else tuple(prompts)
        self.prompts = templates if ensemble is None else ensemble_prompts(ensemble)
        self.corpus = None if corpus is None else Corpus(corpus)
        self.corpus_sha256 = "" if self.corpus is None else self.corpus.sha256
        self.all_sentences = sentences == "all"
        if self.all_sentences:
            self.sentences = len(self.prompts) if self.corpus is None else self.corpus.count()
        # The image tower is removed; the logit scale and the text tower remain.
        clip: Any = load(model, pretrained, quick_gelu)
        clip.visual = None
        self.clip = clip
        self.tokenizer = open_clip.get_tokenizer(model)
        with torch.no_grad():
            self.dim = self._encode(["anything"]).shape[-1]

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
        """Features of every class, not normalised, without gradient.

        Raises:
            UserError: The corpus has no sentence for a class.
        """
        texts = self.texts(names)
        features = self._encode([text for sentences in texts for text in sentences])
        per_class = features.split([len(sentences) for sentences in texts])
        if self.all_sentences:
            return torch.stack(per_class)
        return torch.stack([rows.mean(dim=0, keepdim=True) for rows in per_class])

    def texts(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Texts of every class: its sentences, or the prompts with its name."""
        on_meta = self.device.type == "meta"
        if self.corpus is None or on_meta:  # a dry run has made-up class names
            count = self.sentences if on_meta and self.all_sentences else len(self.prompts)
            prompts = (self.prompts * count)[:count]
            return [tuple(prompt.format(name) for prompt in prompts) for name in names]
        return self.corpus.sentences(names)

    def missing(self, names: Sequence[str]) -> list[str]:
        """Classes that the corpus has no sentence for."""
        return [] if self.corpus is None else self.corpus.missing(names)

    def _encode(self, texts: Sequence[str]) -> Float[Tensor, "B E"]:
        clip: Any = self.clip
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        tokens = [self.tokenizer(list(batch)).to(self.device) for batch in batches]
        return torch.cat([clip.encode_text(rows) for rows in tokens])


def ensemble_prompts(name: Ensemble) -> tuple[str, ...]:
    """Prompt templates of CLIP for ImageNet (Radford et al., ICML 2021), as open_clip has them."""
    templates = {
        "openai": open_clip.OPENAI_IMAGENET_TEMPLATES,
        "openai_simple": open_clip.SIMPLE_IMAGENET_TEMPLATES,
    }[name]
    return tuple(template("{}") for template in templates)
