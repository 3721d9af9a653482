"""Cross-domain data sets: training classes of one data set, test classes of another."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from fsarbench.data.splits import fingerprint
from fsarbench.errors import UserError, nearest
from fsarbench.video import Split, SplitName, VideoDataset, class_key


class CrossDomain(VideoDataset):
    """Cross-domain data set: train and val classes of one data set, test classes of another.

    Train and val classes that are also test classes are left out, because the test classes must be
    new. Classes are equal if their readable names differ only in case, spaces and underscores.

    Args:
        source: Data set of the train and val classes.
        target: Data set of the test classes.
        exclude: Further classes of `source` to leave out, by name.
    """

    def __init__(
        self, source: VideoDataset, target: VideoDataset, exclude: Sequence[str] = ()
    ) -> None:
        self.source = source
        self.target = target
        self.exclude = tuple(exclude)

    def splits(self) -> dict[SplitName, Split]:
        """Splits train and val without the test classes, and the split test.

        Raises:
            UserError: A class in `exclude` is unknown, or no train or val class remains.
        """
        return dict(self._splits)

    def require_videos(self) -> None:
        """Look for the videos of both data sets.

        Raises:
            UserError: Those of one are missing.
        """
        self.source.require_videos()
        self.target.require_videos()

    def fingerprint(self) -> str:
        """Hash over the ids, classes and splits of the videos in use."""
        return fingerprint(self.splits())

    @property
    def skipped(self) -> Mapping[str, str]:
        """Unreadable videos of both data sets."""
        return {**self.source.skipped, **self.target.skipped}

    @property
    def feature_info(self) -> Mapping[str, Any]:
        """How the features of both data sets were computed; empty for videos, or if unknown.

        Raises:
            UserError: They were computed with other weights or from other clips.
        """
        source, target = self.source.feature_info, self.target.feature_info
        if not (source and target):
            return {}
        for key in ("weights", "clips"):
            if source.get(key) != target.get(key):
                raise UserError(
                    f"dataset.test: the features of the test classes have other {key} than those "
                    f"of the training classes ({target.get(key)}, not {source.get(key)}): compute "
                    "both with one config of `fsarbench features`."
                )
        names = (str(info.get("dataset", "FeatureFolder")) for info in (source, target))
        return {**target, "dataset": " -> ".join(names)}

    @property
    def excluded_classes(self) -> tuple[str, ...]:
        """Names of the train and val classes of `source` that are left out."""
        before, after = self.source.splits(), self.splits()
        return tuple(
            name
            for split in ("train", "val")
            for name in before[split].classes
            if name not in after[split].classes
        )

    @cached_property
    def _splits(self) -> dict[SplitName, Split]:
        source, test = self.source.splits(), self.target.splits()["test"]
        known = [name for split in source.values() for name in split.classes]
        for name in self.exclude:
            if name not in known:
                raise UserError(
                    f"dataset.exclude: the data set has no class '{name}'.{nearest(name, known)}"
                )
        excluded = {class_key(name) for name in test.readable}
        kept: dict[SplitName, Split] = {
            name: without_classes(source[name], excluded, self.exclude) for name in ("train", "val")
        }
        for name, split in kept.items():
            if not split.classes:
                raise UserError(
                    f"dataset.exclude: no {name} class remains without the test classes."
                )
        return {**kept, "test": test}


def without_classes(split: Split, readable: set[str], names: Sequence[str]) -> Split:
    """Copy of a split without some classes, with new labels.

    Args:
        split: Split to copy.
        readable: Spellings of readable names to leave out, from `class_key`.
        names: Names of classes to leave out.
    """
    pairs = enumerate(zip(split.classes, split.readable, strict=True))
    kept = [
        index
        for index, (name, text) in pairs
        if name not in names and class_key(text) not in readable
    ]
    labels = {old: new for new, old in enumerate(kept)}
    videos = (v for v in split.videos if v.label in labels)
    return replace(
        split,
        classes=tuple(split.classes[index] for index in kept),
        readable=tuple(split.readable[index] for index in kept),
        videos=tuple(replace(video, label=labels[video.label]) for video in videos),
    )
