"""Few-shot action recognition model: wires the components of all slots."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor, nn

from fsarbench.episode import Episode, Outcome
from fsarbench.errors import UserError
from fsarbench.interfaces import Backbone, Loss, Matcher, PrototypeBuilder, Readout, TextEncoder


class FewShotModel(nn.Module):
    """Few-shot model of one component per slot, without parameters of its own.

    Args:
        backbone: Maps frames to frame features; holds the adapters.
        prototypes: Maps support features to class prototypes; None without a matcher.
        matcher: Scores queries against prototypes; None if the readout uses the text only.
        readout: Maps the model's output to the scores of a test episode.
        losses: Training losses by name.
        text_encoder: Maps class names to text features; None if no component uses text.
        load_clips: Decodes video files to clips, for `embed_videos`; None disables that method.
    """

    def __init__(
        self,
        backbone: Backbone,
        prototypes: PrototypeBuilder | None,
        matcher: Matcher | None,
        readout: Readout,
        losses: Mapping[str, Loss] | None = None,
        text_encoder: TextEncoder | None = None,
        load_clips: Callable[[Sequence[Path]], UInt8[Tensor, "V T 3 H W"]] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.prototypes = prototypes
        self.matcher = matcher
        self.readout = readout
        self.losses = nn.ModuleDict(losses or {})
        self.text_encoder = text_encoder
        self.load_clips = load_clips

    def forward(self, episode: Episode) -> Outcome:
        """Forward pass of one episode, from frames to logits."""
        text = self.encode_text(episode)
        return self.match(*self.encode(episode, text), text)

    def encode(
        self, episode: Episode, text: Float[Tensor, "N E"] | None, together: bool = False
    ) -> tuple[Float[Tensor, "N K S D"], Float[Tensor, "Q S D"]]:
        """Support and query features; training runs this part under bf16 autocast.

        Args:
            episode: Episode with the frames.
            text: Text features of its classes.
            together: Whether support and query videos go through the backbone in one call. Ignored
                if an adapter reads text, because only support videos have text.
        """
        if self.backbone.joint or (together and not self.backbone.uses_text):
            return self.encode_together(episode)
        support = self.encode_support(episode.support, text)
        return support, self.encode_query(episode.query)

    def encode_text(self, episode: Episode) -> Float[Tensor, "N E"] | None:
        """Text features of the episode's classes: precomputed ones if given, else encoded."""
        if episode.text is not None or self.text_encoder is None:
            return episode.text
        return self.text_encoder(episode.names)

    def encode_support(
        self, frames: Num[Tensor, "N K T 3 H W"], text: Float[Tensor, "N E"] | None
    ) -> Float[Tensor, "N K S D"]:
        """Support features; each video is encoded with the text of its own class."""
        shot = frames.shape[1]
        video_text = None if text is None else text.repeat_interleave(shot, dim=0)
        return self.backbone(frames.flatten(0, 1), video_text).unflatten(0, (-1, shot))

    def encode_query(self, frames: Num[Tensor, "Q T 3 H W"]) -> Float[Tensor, "Q S D"]:
        """Query features, without text because the class of a query is unknown."""
        return self.backbone(frames, None)

    @torch.no_grad()
    def embed_videos(
        self, paths: Sequence[str | Path], batch_size: int = 16
    ) -> Float[Tensor, "V T D"]:
        """Features of video files as queries have them, in evaluation mode.

        Args:
            paths: Video files.
            batch_size: Videos per call of the backbone.

        Raises:
            UserError: A file cannot be read, or the model was built without a reader.
        """
        if self.load_clips is None:
            raise UserError(
                "This model was built without a video reader. Build it by fsarbench.create_model, "
                "or pass load_clips."
            )
        device, training = next(self.backbone.parameters()).device, self.training
        self.eval()
        try:
            files = [Path(path) for path in paths]
            starts = range(0, len(files), batch_size)
            batches = (self.load_clips(files[i : i + batch_size]).to(device) for i in starts)
            return torch.cat([self.encode_query(clips) for clips in batches])
        finally:
            self.train(training)

    def encode_together(
        self, episode: Episode
    ) -> tuple[Float[Tensor, "N K S D"], Float[Tensor, "Q S D"]]:
        """Support and query features from one backbone call, without text.

        Required for adapters that attend across videos.
        """
        support = episode.support
        way, shot = support.shape[:2]
        features = self.backbone(torch.cat([support.flatten(0, 1), episode.query]), None)
        return features[: way * shot].unflatten(0, (way, shot)), features[way * shot :]

    def match(
        self,
        support: Float[Tensor, "N K S D"],
        query: Float[Tensor, "Q S D"],
        text: Float[Tensor, "N E"] | None,
    ) -> Outcome:
        """Prototypes and logits from features; cached evaluation starts here."""
        if self.prototypes is None or self.matcher is None:
            # Without a matcher every class gets the same logit.
            zeros = query.new_zeros(query.shape[0], support.shape[0])
            return Outcome(zeros, support, query, text)
        prototypes, matched = self.prototypes(support, query, text)
        return Outcome(self.matcher(matched, prototypes), support, query, text)

    def loss(self, outcome: Outcome, episode: Episode) -> dict[str, Float[Tensor, ""]]:
        """Weighted losses by name; training minimises their sum."""
        return {name: loss.weight * loss(outcome, episode) for name, loss in self.losses.items()}

    def scores(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Test scores; the largest score of a row is the prediction."""
        return self.readout(outcome)


def trainable_parameters(module: nn.Module) -> dict[str, Tensor]:
    """Trainable parameters by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def count_parameters(module: nn.Module | None, trainable: bool = False) -> int:
    """Number of parameters of a module, or (`trainable=True`) of its trainable parameters."""
    if module is None:
        return 0
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)
