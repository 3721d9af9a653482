"""From checked configs to objects: the only place that knows the names of the slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Num
from torch import Tensor

from fsarbench.arguments.signatures import coerce, parameters
from fsarbench.config.components import (
    Values,
    build_component,
    build_dataset,
    build_reader,
)
from fsarbench.config.loading import SECTIONS, LoadedConfig
from fsarbench.data.clips import ClipSettings, load_clip
from fsarbench.data.data_module import DataModule
from fsarbench.data.episode_sampler import EpisodeSettings
from fsarbench.errors import UserError, first_names
from fsarbench.interfaces import (
    Backbone,
    Loss,
    Matcher,
    Neck,
    PrototypeBuilder,
    Readout,
    TextEncoder,
)
from fsarbench.model import Branch, FewShotModel
from fsarbench.registry import SLOTS
from fsarbench.settings import EvaluateSettings, TrainSettings
from fsarbench.video import (
    FeatureReader,
    Split,
    SplitName,
    Video,
)

# Training classes of most published data sets, for models that are built without data.
USUAL_CLASSES = 64


@dataclass(frozen=True)
class Settings:
    """Settings of a config: its sections that are no components.

    Attributes:
        clips: Clip settings, not yet sized for a backbone.
        episodes: Way, shot and queries.
        train: Training settings.
        evaluate: Evaluation settings.
        seed: Seed of episodes, clips and initial weights.
    """

    clips: ClipSettings
    episodes: EpisodeSettings
    train: TrainSettings
    evaluate: EvaluateSettings
    seed: int


def build_settings(values: Values) -> Settings:
    """The plain sections."""
    sections = {name: kind(**coerce(kind, values.get(name, {}))) for name, kind in SECTIONS.items()}
    return Settings(**sections, seed=values.get("seed", 0))


def with_feature_sizes(values: Values, compare: bool = False) -> Values:
    """The config with the sizes of its features in `backbone.dim` and `backbone.steps`.

    Args:
        values: Values of a checked config; those of a config of videos are returned unchanged.
        compare: Read the sizes from the data set even if the config gives both.

    Raises:
        UserError: The features cannot be read, or have other sizes than the config says.
    """
    spec = values["backbone"]
    component = SLOTS["backbone"].find(spec["type"])
    names = [name for name in ("dim", "steps") if name in parameters(component)]
    given = {name: spec[name] for name in names if spec.get(name) is not None}
    if not component.takes_features or (len(given) == len(names) and not compare):
        return values
    sizes, video = feature_sizes(values)
    for name, value in given.items():
        if value != sizes[name]:
            raise UserError(
                f"backbone.{name} is {value}, but the features in {video.path} have {name} = "
                f"{sizes[name]}: leave backbone.{name} out; it is read from the data set."
            )
    return {**values, "backbone": {**spec, **{name: sizes[name] for name in names}}}


def feature_sizes(values: Values) -> tuple[dict[str, int], Video]:
    """Sizes of the features of a config's data set, and the video that they were read from.

    Raises:
        UserError: The data set or its features are missing, or its reader gives frames.
    """
    reader = build_reader(values)
    if not isinstance(reader, FeatureReader):
        raise UserError(
            f"{type(reader).__name__} gives frames, and the backbone {values['backbone']['type']} "
            "takes features: dataset = dict(type='FeatureFolder', root=...)."
        )
    splits = build_dataset(values).splits()
    video = next(video for split in splits.values() for video in split.videos)
    steps, dim = reader.shape(video)
    return {"dim": dim, "steps": steps}, video


def clips_for(clips: ClipSettings, backbone: Backbone) -> ClipSettings:
    """Clip settings sized for a backbone; for one that takes features, their number of steps."""
    if backbone.takes_features:
        return ClipSettings(frames=backbone.output_frames(clips.frames))
    return clips.resolved(backbone.image_size)


def build_model(values: Values, classes: int = USUAL_CLASSES) -> FewShotModel:
    """The model of a checked config, on torch's default device.

    Args:
        values: Values of the config.
        classes: Number of training classes, for losses over all of them.

    Raises:
        UserError: A component rejects its arguments, or components do not fit together.
    """
    values = with_feature_sizes(values)
    text_encoder = build_component("text_encoder", values.get("text_encoder"))
    backbone = build_component("backbone", values["backbone"])
    sizes = {
        "width": backbone.width,
        "prefix": backbone.prefix,
        "grid": backbone.grid,
        "mlp_width": backbone.mlp_width,
        "block_count": backbone.depth,
        "dim": backbone.dim,
        "text_dim": None if text_encoder is None else text_encoder.dim,
        "frames": values.get("clips", {}).get("frames", ClipSettings().frames),
        "classes": classes,
    }
    adapt(backbone, values.get("adapter"), sizes)
    sizes["frames"] = backbone.output_frames(sizes["frames"])
    neck, shared = build_neck(values.get("neck"), sizes, "neck")
    prototypes, matcher = build_matching(values, shared, "")
    branches, branch_sizes = {}, {}
    # In order of their names: the resolved config of a run may hold them in another order.
    for name, spec in sorted((values.get("branches") or {}).items()):
        branches[name], branch_sizes[name] = build_branch(name, spec, shared)
    readout, losses, reads = build_readers(values, sizes, branch_sizes)
    return FewShotModel(
        backbone=backbone,
        prototypes=prototypes,
        matcher=matcher,
        readout=readout,
        losses=losses,
        text_encoder=text_encoder,
        load_clips=ClipLoader(values, backbone.image_size),
        neck=neck,
        branches=branches,
        reads=reads,
    )


def build_readers(
    values: Values, sizes: Values, branch_sizes: Mapping[str, Values]
) -> tuple[Readout, dict[str, Loss], dict[str, str]]:
    """Readout and losses, and the branch that each of them reads by name, if it names one.

    Args:
        values: Values of the config.
        sizes: Sizes of the backbone's features, for those that name no branch.
        branch_sizes: Sizes of the features of each branch.
    """
    # A loss of a base config is left out by setting it to None.
    losses = {k: spec for k, spec in (values.get("losses") or {}).items() if spec is not None}
    readers = {**losses, "readout": values["readout"]}
    reads = {name: spec["branch"] for name, spec in readers.items() if spec.get("branch")}
    own = {name: branch_sizes.get(reads.get(name, ""), sizes) for name in readers}
    readout = build_component("readout", values["readout"], own["readout"])
    built = {
        name: build_component("losses", spec, own[name], f"losses.{name}")
        for name, spec in losses.items()
    }
    return readout, built, reads


def build_neck(spec: Values | None, sizes: Values, key: str) -> tuple[Neck | None, Values]:
    """A neck and the sizes of its output; without a neck the sizes stay."""
    if spec is None:
        return None, sizes
    neck: Neck = build_component("neck", spec, sizes, key)
    made = {"dim": neck.dim, "frames": neck.output_frames(sizes["frames"])}
    if neck.token_width:  # the necks behind it read its tokens
        made["width"] = neck.token_width
    return neck, {**sizes, **made}


def build_matching(
    values: Values, sizes: Values, key: str
) -> tuple[PrototypeBuilder | None, Matcher | None]:
    """Prototype builder and matcher; the matcher gets the sizes of the builder's output.

    Args:
        values: Config of the model or of a branch.
        sizes: Sizes of the features that the prototype builder receives.
        key: Prefix of the keys for messages, such as `branches.motion.`; empty for a model.
    """
    builder: PrototypeBuilder | None = build_component(
        "prototypes", values.get("prototypes"), sizes, f"{key}prototypes"
    )
    if builder is not None:
        frames = builder.output_frames(sizes["frames"])
        sizes = {**sizes, "dim": builder.output_dim(sizes["dim"]), "frames": frames}
    return builder, build_component("matcher", values.get("matcher"), sizes, f"{key}matcher")


def build_branch(name: str, spec: Values, sizes: Values) -> tuple[Branch, Values]:
    """A branch, and the sizes of its features."""
    neck, own = build_neck(spec.get("neck"), sizes, f"branches.{name}.neck")
    prototypes, matcher = build_matching(spec, own, f"branches.{name}.")
    assert prototypes is not None
    assert matcher is not None
    return Branch(prototypes, matcher, neck, float(spec.get("weight", 1.0))), own


def assemble(loaded: LoadedConfig, device: torch.device) -> tuple[FewShotModel, DataModule, str]:
    """Model on its device, data module, and fingerprint of the data."""
    # Videos come first: they are missing most often, and finding them is fast.
    dataset = build_dataset(loaded.values)
    splits = dataset.splits()
    # The resolved config names the sizes, so that a run can be rebuilt without its features.
    loaded.values = dict(with_feature_sizes(loaded.values, compare=True))
    settings = build_settings(loaded.values)
    torch.manual_seed(settings.seed)
    # Features may have no training split.
    model = build_model(loaded.values, len(splits["train"].classes) or USUAL_CLASSES).to(device)
    require_sentences(model.text_encoder, splits)
    data_module = DataModule(
        splits=splits,
        reader=build_reader(loaded.values),
        clips=clips_for(settings.clips, model.backbone),
        episodes=settings.episodes,
        seed=settings.seed,
        device=device,
        feature_info=dataset.feature_info,
    )
    return model, data_module, dataset.fingerprint()


def require_sentences(encoder: TextEncoder | None, splits: Mapping[SplitName, Split]) -> None:
    """Require a sentence for every class of a data set.

    Raises:
        UserError: The text encoder has none for some classes; the message names them.
    """
    if encoder is None:
        return
    names = [name for split in splits.values() for name in split.readable]
    missing = encoder.missing(names)
    if missing:
        raise UserError(
            f"text_encoder: no sentence for {len(missing)} of the {len(names)} classes of the data "
            f"set: {first_names(missing)}. Add them to the corpus."
        )


def adapt(backbone: Backbone, spec: Values | None, sizes: Values) -> None:
    """Put one adapter on each block of the backbone, or on those that `blocks` lists.

    Raises:
        UserError: The backbone has no such block, or no place for the adapter.
    """
    if spec is None:
        return
    depth = backbone.depth
    chosen = spec.get("blocks")
    chosen = range(depth) if chosen is None else chosen
    if any(not -depth <= i < depth for i in chosen):
        raise UserError(
            f"adapter.blocks = {list(chosen)}: the backbone has blocks 0 to {depth - 1}."
        )
    adapted = {i % depth for i in chosen}
    frozen = {"type": "Frozen"}
    backbone.adapt(
        [
            build_component(
                "adapter", spec if i in adapted else frozen, {**sizes, "block_index": i}
            )
            for i in range(depth)
        ]
    )


class ClipLoader:
    """Decodes video files to the test clips that a config describes.

    Args:
        values: Values of the config.
        image_size: Side of the crop in pixels where the config does not say; 0 for a backbone that
            takes features.
    """

    def __init__(self, values: Values, image_size: int) -> None:
        self.values = values
        self.image_size = image_size

    def __call__(self, paths: Sequence[Path]) -> Num[Tensor, "V T *pixels"]:
        """Clips of the files, or features."""
        reader = build_reader(self.values)
        if isinstance(reader, FeatureReader):
            videos = [reader.features(Video(path.stem, path, 0)) for path in paths]
            return torch.stack([torch.from_numpy(video) for video in videos])
        clips = build_settings(self.values).clips.resolved(self.image_size)
        return torch.stack([load_clip(reader, path, clips) for path in paths])


def build_on_meta(values: Values) -> FewShotModel:
    """The model without weights and without memory, for counting and checking."""
    with torch.device("meta"):
        return build_model(values)
