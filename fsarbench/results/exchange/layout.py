"""Files of a submitted result, and where a results folder has them.

`<data set>/<way>way_<shot>shot/<method>/<short hash>/` has the files of one test setting of one
run, and `<data set>/list.json` the hashes of the split list that all results of the data set share.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from fsarbench.results.config_diff import relevant
from fsarbench.results.finished_runs import Run
from fsarbench.results.predictions import EPISODES
from fsarbench.results.run_result import RESULT
from fsarbench.training.checkpoint import BEST

CONFIG = "config.json"
CARD = "card.md"
LIST = "list.json"
# Files of a submission, and the most bytes of each.
FILES = {RESULT: 2**22, EPISODES: 2**24, CONFIG: 2**20, CARD: 2**20}
LIST_BYTES = 2**16
# Most bytes of the arrays in `episodes.npz`.
ARRAYS = 2**27
WEIGHTS = BEST
# Folders above the files of a submission: data set, setting, method, short hash.
DEPTH = 4
SHORT_HASH = 12
LONGEST_NAME = 80


Opened = AbstractContextManager[IO[bytes]]


@dataclass(frozen=True)
class Packed:
    """Files of one submission: one test setting of one run.

    Attributes:
        place: Folder, relative to the results folder.
        content: Content of the files by name.
        weights: Function that opens `best.safetensors`; None without weights.
    """

    place: PurePosixPath
    content: Mapping[str, bytes]
    weights: Callable[[], Opened] | None = None


def folder_name(name: str) -> str:
    """Folder name for a row name, with characters that are valid on any file system.

    Example:
        >>> folder_name("MA-FSAR: matcher=OTAM"), folder_name("../..")
        ('MA-FSAR_matcher=OTAM', '')
    """
    return re.sub(r"[^\w.+=-]+", "_", name).strip("._")


def place_of(run: Run) -> PurePosixPath:
    """Folder of a run in one test setting, relative to the results folder."""
    dataset, way, shot = run.setting
    names = [dataset, f"{way}way_{shot}shot", run.name]
    safe = [folder_name(name)[:LONGEST_NAME] or "unnamed" for name in names]
    return PurePosixPath(*safe, identity(run))


def identity(run: Run) -> str:
    """Short hash of the predictions, and of the config and the seeds that led to them.

    Two results with the same hash are one result, whatever they are called.
    """
    conditions, predictions = run.conditions, run.predictions
    keys = ("data_fingerprint", "seed", "episodes_seed", "way", "shot", "queries_a_class")
    content = {
        "config": relevant(run.config),
        "conditions": {key: conditions[key] for key in keys},
        "predictions": "" if predictions is None else sha256(predictions.predictions.tobytes()),
    }
    return sha256(json.dumps(content, sort_keys=True).encode())[:SHORT_HASH]


def sha256(content: bytes) -> str:
    """SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def list_of(run: Run) -> dict[str, str | int]:
    """Content of `list.json` for the data set of a run."""
    conditions = run.conditions
    return {
        "data_fingerprint": conditions["data_fingerprint"],
        "test_list_sha256": conditions["test_list_sha256"],
        **conditions["splits"]["test"],
    }


def json_bytes(content: object) -> bytes:
    """Content of a JSON file with finite numbers."""
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()
