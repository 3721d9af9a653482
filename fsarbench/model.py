"""Few-shot action recognition model: wires the components of all slots."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from fsarbench.episode import (
    BEFORE_BLOCKS,
    MAIN,
    SHARED_NECK,
    BranchOutcome,
    Encoding,
    Episode,
    Outcome,
    TokenFeatures,
    VideoFeatures,
    encoding_of,
)
from fsarbench.errors import UserError
from fsarbench.functional.text_scores import class_text
from fsarbench.interfaces import (
    Backbone,
    Loss,
    Matcher,
    Neck,
    PrototypeBuilder,
    Readout,
    TextEncoder,
)


class Branch(nn.Module):
    """One of several branches of a model.

    Args:
        prototypes: Maps the branch's features to class prototypes.
        matcher: Scores queries against prototypes.
        neck: Maps the backbone's features to the branch's features; None takes them as they are.
        weight: Factor of the branch's logits in the fused logits.
    """

    def __init__(
        self,
        prototypes: PrototypeBuilder,
        matcher: Matcher,
        neck: Neck | None = None,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.neck = neck
        self.prototypes = prototypes
        self.matcher = matcher
        self.weight = weight


class Matching(NamedTuple):
    """Components and weight of a branch.

    Attributes:
        prototypes: Maps features to class prototypes; None without a matcher.
        matcher: Scores queries against prototypes; None if the readout uses the text only.
        weight: Factor of the logits in the fused logits.
    """

    prototypes: PrototypeBuilder | None
    matcher: Matcher | None
    weight: float = 1.0


class FewShotModel(nn.Module):
    """Few-shot model of one component per slot, or of several branches.

    It has no parameters of its own.

    Args:
        backbone: Maps frames to frame features; holds the adapters.
        prototypes: Maps support features to class prototypes; None without a matcher.
        matcher: Scores queries against prototypes; None if the readout uses the text only.
        readout: Maps the model's output to the scores of a test episode.
        losses: Training losses by name.
        text_encoder: Maps class names to text features; None if no component uses text.
        load_clips: Decodes video files to clips "V T 3 H W" (or reads features "V S D"), for
            `embed_videos`; None disables that method.
        neck: Maps the backbone's features to those of all branches; None takes them as they are.
        branches: Branches by name, in place of `prototypes` and `matcher`.
        reads: Branch that a loss (by its name) or the readout (`readout`) reads; the others read
            the fused logits and the backbone's features.
    """

    def __init__(  # noqa: PLR0913
        self,
        backbone: Backbone,
        prototypes: PrototypeBuilder | None,
        matcher: Matcher | None,
        readout: Readout,
        losses: Mapping[str, Loss] | None = None,
        text_encoder: TextEncoder | None = None,
        load_clips: Callable[[Sequence[Path]], Num[Tensor, "V T *pixels"]] | None = None,
        neck: Neck | None = None,
        branches: Mapping[str, Branch] | None = None,
        reads: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.prototypes = prototypes
        self.matcher = matcher
        self.branches = nn.ModuleDict(branches or {})
        self.readout = readout
        self.losses = nn.ModuleDict(losses or {})
        self.text_encoder = text_encoder
        self.load_clips = load_clips
        self.reads = dict(reads or {})
        self.levels = token_levels(backbone, self.necks())

    def matchings(self) -> dict[str, Matching]:
        """Prototype builder, matcher and weight of each branch, by name."""
        if not self.branches:
            return {MAIN: Matching(self.prototypes, self.matcher)}
        return {
            name: Matching(branch.prototypes, branch.matcher, branch.weight)
            for name, branch in self.branches.items()
            if isinstance(branch, Branch)
        }

    def necks(self) -> dict[str, Neck]:
        """Necks by branch; the one that all branches share comes first and is called `neck`."""
        shared = {} if self.neck is None else {SHARED_NECK: self.neck}
        own = {name: getattr(branch, "neck", None) for name, branch in self.branches.items()}
        return {**shared, **{name: neck for name, neck in own.items() if neck is not None}}

    def components(self) -> dict[str, nn.Module]:
        """Components besides backbone and losses by slot; those of a branch as `BRANCH.SLOT`."""
        slots: dict[str, Any] = {
            "text_encoder": self.text_encoder,
            "neck": self.neck,
            "prototypes": self.prototypes,
            "matcher": self.matcher,
        }
        for name, branch in self.branches.items():
            for slot in ("neck", "prototypes", "matcher"):
                slots[f"{name}.{slot}"] = getattr(branch, slot)
        slots["readout"] = self.readout
        return {slot: module for slot, module in slots.items() if module is not None}

    @property
    def encoder_reads_text(self) -> bool:
        """Whether the features of support videos depend on text: by an adapter or a neck."""
        return self.backbone.uses_text or any(n.uses_text for n in self.necks().values())

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the side data that the necks read."""
        return tuple(dict.fromkeys(name for neck in self.necks().values() for name in neck.extra))

    def forward(self, episode: Episode) -> Outcome:
        """Forward pass of one episode, from frames to logits."""
        text = self.encode_text(episode)
        return self.match(*self.encode(episode, text), text)

    def encode(
        self, episode: Episode, text: Float[Tensor, "N M E"] | None, together: bool = False
    ) -> tuple[Encoding, Encoding]:
        """Support and query features; training runs this step under bf16 autocast.

        Args:
            episode: Episode with the frames.
            text: Text features of its classes.
            together: Whether support and query videos go through the backbone in one call. Ignored
                if an adapter or a neck reads text, because only support videos have text.
        """
        if self.backbone.joint or (together and not self.encoder_reads_text):
            return self.encode_together(episode)
        support = self.encode_support(episode.support, text, episode.support_extra)
        return support, self.encode_query(episode.query, episode.query_extra)

    def encode_text(self, episode: Episode) -> Float[Tensor, "N M E"] | None:
        """Text features of the episode's classes: precomputed ones if given, else encoded."""
        if episode.text is not None or self.text_encoder is None:
            return episode.text
        return self.text_encoder(episode.names)

    def encode_support(
        self,
        frames: Num[Tensor, "N K T *pixels"],
        text: Float[Tensor, "N M E"] | None,
        extra: Mapping[str, Tensor] | None = None,
    ) -> Encoding:
        """Support features "N K S D"; each video is encoded with the text of its own class."""
        shot = frames.shape[1]
        video_text = None if text is None else text.repeat_interleave(shot, dim=0)
        side = {name: value.flatten(0, 1) for name, value in (extra or {}).items()}
        videos = self.encode_videos(frames.flatten(0, 1), video_text, side)
        return videos.map(lambda features: features.unflatten(0, (-1, shot)))

    def encode_query(
        self, frames: Num[Tensor, "Q T *pixels"], extra: Mapping[str, Tensor] | None = None
    ) -> Encoding:
        """Query features "Q S D", without text because the class of a query is unknown."""
        return self.encode_videos(frames, None, extra)

    def encode_videos(
        self,
        frames: Num[Tensor, "V T *pixels"],
        text: Float[Tensor, "V M E"] | None,
        extra: Mapping[str, Tensor] | None = None,
    ) -> Encoding:
        """Features of the backbone and of every neck.

        Args:
            frames: Frames of the videos.
            text: Text features of each video's class; None for queries.
            extra: Side data by name.
        """
        summary = None if text is None else class_text(text)
        options = {"levels": self.levels} if self.levels else {}
        output = self.backbone(frames, summary, **options)
        if not isinstance(output, VideoFeatures):
            output = VideoFeatures(output)
        video = VideoFeatures(output.frames, extra=extra or {})
        features, auxiliary = {}, {}
        for name, neck in self.necks().items():
            given = VideoFeatures(video.frames, self._tokens_for(neck, output, video), video.extra)
            made = neck(given, text if neck.uses_text else None)
            made, further = made if isinstance(made, tuple) else (made, {})
            features[name] = made.frames if isinstance(made, TokenFeatures) else made
            if further and self.training:
                auxiliary[name] = further
            if name == SHARED_NECK:
                own = {-1: made.tokens} if isinstance(made, TokenFeatures) else {}
                video = VideoFeatures(features[name], own, video.extra)
        return Encoding(output.frames, features, auxiliary)

    def _tokens_for(
        self, neck: Neck, output: VideoFeatures, shared: VideoFeatures
    ) -> dict[int, Float[Tensor, "V T L C"]]:
        """Tokens that a neck reads: those of the shared neck, or the backbone's if it has none.

        Args:
            neck: Neck that reads the tokens.
            output: Output of the backbone.
            shared: Output of the neck that all branches share.
        """
        if shared.tokens:
            return {level: shared.tokens[level] for level in neck.levels}
        depth = self.backbone.depth
        return {level: output.tokens[index_of(level, depth)] for level in neck.levels}

    @torch.no_grad()
    def embed_videos(
        self, paths: Sequence[str | Path], batch_size: int = 16
    ) -> Float[Tensor, "V S D"]:
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
        device, training = device_of(self) or torch.device("cpu"), self.training
        self.eval()
        try:
            files = [Path(path) for path in paths]
            starts = range(0, len(files), batch_size)
            batches = (self.load_clips(files[i : i + batch_size]).to(device) for i in starts)
            return torch.cat([self.encode_query(clips).of(MAIN) for clips in batches])
        finally:
            self.train(training)

    def encode_together(self, episode: Episode) -> tuple[Encoding, Encoding]:
        """Support and query features from one backbone call, without text.

        Required for adapters that attend across videos.
        """
        support = episode.support
        way, shot = support.shape[:2]
        side = {
            name: torch.cat([value.flatten(0, 1), episode.query_extra[name]])
            for name, value in episode.support_extra.items()
        }
        videos = self.encode_videos(torch.cat([support.flatten(0, 1), episode.query]), None, side)
        count = way * shot
        return (
            videos.map(lambda features: features[:count].unflatten(0, (way, shot))),
            videos.map(lambda features: features[count:]),
        )

    def match(
        self,
        support: Encoding | Float[Tensor, "N K S D"] | Mapping[str, Tensor],
        query: Encoding | Float[Tensor, "Q S D"] | Mapping[str, Tensor],
        text: Float[Tensor, "N M E"] | None,
    ) -> Outcome:
        """Prototypes and logits from features; cached evaluation starts here.

        Args:
            support: Features of the support videos; a tensor is those of the backbone.
            query: Features of the queries.
            text: Text features of the classes.
        """
        support, query = encoding_of(support), encoding_of(query)
        matchings = self.matchings()
        outcomes = {
            name: match_branch(name, matching, support, query, text)
            for name, matching in matchings.items()
        }
        return fuse(outcomes, matchings, support, query, text)

    def loss(self, outcome: Outcome, episode: Episode) -> dict[str, Float[Tensor, ""]]:
        """Weighted losses by name; training minimises their sum."""
        return {
            name: loss.weight * loss(self.view(outcome, name), episode)
            for name, loss in self.losses.items()
        }

    def scores(self, outcome: Outcome) -> Float[Tensor, "Q N"]:
        """Test scores; the largest score of a row is the prediction."""
        return self.readout(self.view(outcome, "readout"))

    def view(self, outcome: Outcome, reader: str) -> Outcome:
        """The outcome that a loss or the readout reads: of one branch, or of the whole model."""
        return outcome.of(self.reads[reader]) if reader in self.reads else outcome


def match_branch(
    name: str,
    matching: Matching,
    support: Encoding,
    query: Encoding,
    text: Float[Tensor, "N M E"] | None,
) -> BranchOutcome:
    """Prototypes and logits of one branch."""
    own_support, own_query = support.of(name), query.of(name)
    auxiliary = neck_auxiliary(name, support, query)
    if matching.prototypes is None or matching.matcher is None:
        # Without a matcher every class gets the same logit.
        zeros = own_query.new_zeros(own_query.shape[0], own_support.shape[0])
        return BranchOutcome(zeros, own_support, own_query, auxiliary=auxiliary)
    built = matching.prototypes(own_support, own_query, text)
    prototypes, matched = built[:2]
    if len(built) == 3:
        auxiliary |= built[2]
    logits = matching.matcher(matched, prototypes)
    return BranchOutcome(logits, own_support, own_query, prototypes, matched, auxiliary)


def neck_auxiliary(name: str, support: Encoding, query: Encoding) -> dict[str, Tensor]:
    """Auxiliary outputs of a branch's necks, one row per video: support videos, then queries."""
    joined: dict[str, Tensor] = {}
    for neck in (SHARED_NECK, name):
        for key, value in support.auxiliary.get(neck, {}).items():
            joined[key] = torch.cat([value.flatten(0, 1), query.auxiliary[neck][key]])
    return joined


def fuse(
    outcomes: Mapping[str, BranchOutcome],
    matchings: Mapping[str, Matching],
    support: Encoding,
    query: Encoding,
    text: Float[Tensor, "N M E"] | None,
) -> Outcome:
    """Outcome of the model from those of its branches: the weighted sum of their logits."""
    if len(outcomes) == 1:
        ((name, only),) = outcomes.items()
        weight = matchings[name].weight
        logits = only.logits if weight == 1 else weight * only.logits
        return Outcome(
            logits,
            support.frames,
            query.frames,
            text,
            only.auxiliary,
            outcomes,
            only.prototypes,
            only.matched,
        )
    weighted = [matchings[name].weight * branch.logits for name, branch in outcomes.items()]
    logits = torch.stack(weighted).sum(0)
    return Outcome(logits, support.frames, query.frames, text, branches=outcomes)


def token_levels(backbone: Backbone, necks: Mapping[str, Neck]) -> tuple[int, ...]:
    """Blocks of the backbone whose tokens the necks read, as sorted indices (see `index_of`).

    Raises:
        UserError: The backbone gives no tokens, has no such block, or gives no tokens there.
    """
    levels = set()
    shared = necks.get(SHARED_NECK)
    for name, neck in necks.items():
        if name != SHARED_NECK and shared is not None and shared.token_width:
            require_last_level(name, neck, shared)
            continue
        if neck.levels and not backbone.gives_tokens:
            raise UserError(
                f"neck of '{name}': {type(neck).__name__} reads patch tokens, and "
                f"{type(backbone).__name__} gives none. Choose a backbone that gives them, such as "
                "OpenClipViT or TimmViT, or a neck that reads frame features."
            )
        for level in neck.levels:
            if level != BEFORE_BLOCKS and not -backbone.depth <= level < backbone.depth:
                raise UserError(
                    f"neck of '{name}': {type(neck).__name__} reads the tokens of block {level}, "
                    f"and {type(backbone).__name__} has blocks 0 to {backbone.depth - 1}."
                )
            index = index_of(level, backbone.depth)
            if backbone.only_last_tokens and index != backbone.depth - 1:
                place = "before the first block" if index < 0 else f"of block {level}"
                raise UserError(
                    f"neck of '{name}': {type(neck).__name__} reads the tokens {place}, "
                    f"and {type(backbone).__name__} gives those of its last block only: level -1."
                )
            levels.add(index)
    return tuple(sorted(levels))


def require_last_level(branch: str, neck: Neck, shared: Neck) -> None:
    """Require that a neck behind a shared neck with tokens reads those only.

    Raises:
        UserError: It reads tokens of the backbone.
    """
    if set(neck.levels) - {-1}:
        raise UserError(
            f"neck of '{branch}': {type(neck).__name__} reads the tokens of blocks "
            f"{list(neck.levels)}, and the shared neck {type(shared).__name__} gives tokens of its "
            "own, as level -1 only."
        )


def index_of(level: int, depth: int) -> int:
    """Index of a block from 0, or -1 for the tokens before the first block.

    Example:
        >>> index_of(2, depth=12), index_of(-1, depth=12), index_of(BEFORE_BLOCKS, depth=12)
        (2, 11, -1)
    """
    return -1 if level == BEFORE_BLOCKS else level % depth


def device_of(module: nn.Module) -> torch.device | None:
    """Device of a module's weights; None if it has none."""
    tensor = next(chain(module.parameters(), module.buffers()), None)
    return None if tensor is None else tensor.device


def trainable_parameters(module: nn.Module) -> dict[str, Tensor]:
    """Trainable parameters by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def count_parameters(module: nn.Module | None, trainable: bool = False) -> int:
    """Number of parameters of a module, or (`trainable=True`) of its trainable parameters."""
    if module is None:
        return 0
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)
