"""What the data sets that the project makes have in common."""

from abc import abstractmethod
from functools import cached_property

from fsarbench.data.splits import SPLITS, Entry, fingerprint, split_of
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.video import Split, SplitName, VideoDataset


class MadeDataset(VideoDataset):
    """Videos from a manifest; they are made on first use and verified on each."""

    @abstractmethod
    def manifest(self) -> Manifest:
        """The finished data set."""

    def splits(self) -> dict[SplitName, Split]:
        """The three splits; makes the videos if they are not there."""
        return _splits(self._made)

    def fingerprint(self) -> str:
        """A hash over the recipe, video ids, their classes and their partition."""
        return fingerprint(_splits(self._made), self._made.recipe)

    @cached_property
    def _made(self) -> Manifest:
        # Once an object: a run asks for splits and fingerprint, and each would look at every file.
        return self.manifest()


def _splits(manifest: Manifest) -> dict[SplitName, Split]:
    return {
        name: split_of(
            name,
            [
                Entry(video.id, manifest.folder / video.path, video.class_name)
                for video in manifest.videos
                if video.split == name
            ],
        )
        for name in SPLITS
    }
