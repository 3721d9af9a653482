"""What the data sets that the project makes have in common."""

from abc import abstractmethod

from fsarbench.data.manifest import Manifest
from fsarbench.data.splits import SPLITS, Entry, fingerprint, split_of
from fsarbench.interfaces import Split, SplitName, VideoDataset


class MadeDataset(VideoDataset):
    """Videos from a manifest; they are made on first use and verified on each."""

    @abstractmethod
    def manifest(self) -> Manifest:
        """The finished data set."""

    def splits(self) -> dict[SplitName, Split]:
        """The three splits; makes the videos if they are not there."""
        return _splits(self.manifest())

    def fingerprint(self) -> str:
        """A hash over the recipe, video ids, their classes and their partition."""
        manifest = self.manifest()
        return fingerprint(_splits(manifest), manifest.recipe)


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
