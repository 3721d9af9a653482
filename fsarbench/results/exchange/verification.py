"""`fsarbench verify`: every submission of a results folder checked again from its predictions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.results.exchange.checks import check
from fsarbench.results.exchange.contents import Contents, read_contents
from fsarbench.results.exchange.layout import LIST, Packed, identity, list_of
from fsarbench.results.faults import FaultError, faults_text
from fsarbench.results.finished_runs import Run
from fsarbench.results.repetitions import check_repetitions, repetitions
from fsarbench.results.run_result import RESULT
from fsarbench.results.strict_json import parse_json


@dataclass(frozen=True)
class Verification:
    """Outcome of the verification of a results folder.

    Attributes:
        path: The folder, or the zip file.
        submissions: Number of submissions.
        runs: Submissions that can be read, as runs.
        faults: All faults of all submissions.
    """

    path: Path
    submissions: int
    runs: tuple[Run, ...]
    faults: tuple[FaultError, ...]

    @property
    def valid(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    def __str__(self) -> str:
        count = f"{self.submissions:,} submission{'' if self.submissions == 1 else 's'}"
        if self.valid:
            return f"{self.path}: {count}, all verified"
        lines = faults_text(self.faults)
        number = lines.count("\n") + 1
        return f"{lines}\n{self.path}: {count}, {number} fault{'' if number == 1 else 's'}"


def verify(path: str | Path) -> Verification:
    """Check all submissions of a results folder, or of a zip file, from their predictions.

    Args:
        path: Results folder of `submit`, or zip file of `export`.

    Raises:
        UserError: There is no such folder or file.
    """
    contents = read_contents(Path(path))
    runs, faults = check_all(contents.packed)
    faults = [*contents.faults, *faults, *folder_faults(runs, contents)]
    return Verification(Path(path), len(contents.packed), tuple(runs), tuple(faults))


def check_all(packed: Iterable[Packed]) -> tuple[list[Run], list[FaultError]]:
    """Read and check submissions, each by itself; returns the readable ones and all faults."""
    checked = [check(each) for each in packed]
    runs = [run for run, _ in checked if run is not None]
    return runs, [fault for _, faults in checked for fault in faults]


def folder_faults(runs: Sequence[Run], contents: Contents) -> list[FaultError]:
    """Faults between the submissions of a folder: lists, duplicates, repetitions."""
    lists, faults = read_lists(contents.lists)
    of_lists = (fault for run in runs for fault in list_faults(run, lists))
    return [*faults, *of_lists, *duplicate_faults(runs), *repetition_faults(runs)]


def read_lists(
    content: Mapping[str, bytes],
) -> tuple[dict[str, dict[str, object]], list[FaultError]]:
    """Values of `list.json` by data set, and faults of unreadable ones."""
    lists: dict[str, dict[str, object]] = {}
    faults = []
    for dataset, text in content.items():
        file = f"{dataset}/{LIST}"
        try:
            values = parse_json(text, file)
            if not isinstance(values, dict):
                raise FaultError(file, "", "the hashes of a list", type(values).__name__)
            lists[dataset] = values
        except FaultError as fault:
            faults.append(fault)
    return lists, faults


def list_faults(run: Run, lists: Mapping[str, Mapping[str, object]]) -> Iterator[FaultError]:
    """Hashes and sizes of the list of a submission that differ from those of its data set."""
    dataset = run.folder.parts[0]
    if dataset not in lists:
        yield FaultError(f"{dataset}/{LIST}", "", "the hashes of the list", "no readable file")
        return
    for key, value in list_of(run).items():
        expected = lists[dataset].get(key)
        if value != expected:
            field = f"conditions.{'' if 'sha' in key or 'data' in key else 'splits.test.'}{key}"
            text = f"{expected}, the list of {dataset}/{LIST}"
            yield FaultError(run.folder / RESULT, field, text, value)


def duplicate_faults(runs: Sequence[Run]) -> Iterator[FaultError]:
    """Submissions with the predictions, the config and the seeds of an earlier one."""
    first: dict[tuple[str, str], Run] = {}
    for run in runs:
        key = (run.folder.parts[0], identity(run))
        if key in first:
            yield duplicate(run.folder, first[key].folder)
        first.setdefault(key, run)


def duplicate(place: Path, existing: Path) -> FaultError:
    """Fault of a submission that is filed already."""
    found = f"the same predictions, config and seeds in {existing}"
    return FaultError(place, "", "a result that is not there yet", found)


def repetition_faults(runs: Sequence[Run]) -> Iterator[FaultError]:
    """Submissions of one name and submitter that differ in more than their seed, or do not."""
    for group in repetitions(runs):
        try:
            check_repetitions(group)
        except UserError as error:
            expected = "one config and different seeds under one name and submitter"
            yield FaultError(group[-1].folder, "", expected, error)
