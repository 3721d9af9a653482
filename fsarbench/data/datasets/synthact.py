"""The built-in data set of rendered actions."""

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.datasets.synthetic import MadeDataset
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.synthact.dataset import ensure
from fsarbench.registry import DATASETS


@DATASETS.register_module()
class SynthAct(MadeDataset):
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
