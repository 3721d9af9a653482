"""`fsarbench submit`, `export` and `import-results`: results filed in a folder or a zip file.

Everything is checked before anything is written, a submission is written as a whole, and nothing
that exists is replaced.
"""

import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fsarbench.errors import UserError
from fsarbench.results.exchange.contents import Contents, read_zip
from fsarbench.results.exchange.layout import (
    LIST,
    LIST_BYTES,
    WEIGHTS,
    Packed,
    json_bytes,
    list_of,
)
from fsarbench.results.exchange.pack import pack
from fsarbench.results.exchange.verification import (
    check_all,
    duplicate,
    folder_faults,
    repetition_faults,
)
from fsarbench.results.faults import FaultError, faults_text
from fsarbench.results.finished_runs import Run, find_runs, read_run
from fsarbench.results.run_result import RESULT
from fsarbench.runtime.atomic_files import atomic_path, write_errors, write_with_parents

# Time stamp of all entries: equal results give equal zip files.
TIME = (1980, 1, 1, 0, 0, 0)

Paths = Sequence[str | Path]


def submit(runs: Paths, to: str | Path, *, submitter: str | None = None) -> list[Path]:
    """Check finished runs and file them in a results folder; returns their new folders.

    Args:
        runs: Folders of runs, or folders that contain them.
        to: Results folder.
        submitter: Person or lab that is named in the tables.

    Raises:
        UserError: A run has faults, or its result is filed already; nothing was written then.
    """
    packed, faults = pack_all(runs, submitter)
    return file_all(packed, Path(to), faults)


def export(
    runs: Paths, out: str | Path, *, submitter: str | None = None, weights: bool = False
) -> Path:
    """Check finished runs and write them to a zip file: results, predictions, configs, cards.

    Args:
        runs: Folders of runs, or folders that contain them.
        out: Zip file to write.
        submitter: Person or lab that is named in the tables.
        weights: Whether to add the trained weights (`best.safetensors`).

    Raises:
        UserError: A run has faults, or the file exists.
    """
    file = Path(out)
    if file.exists():
        raise UserError(f"{file} exists and is not replaced. Choose another file.")
    packed, faults = pack_all(runs, submitter, weights)
    checked, more = check_all(packed)
    lists = lists_of(checked)
    faults += [*more, *folder_faults(checked, Contents(lists=lists))]
    if faults:
        raise refused(f"{file} was not written", faults)
    with write_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            write_zip(temporary, packed, lists)
    return file


def import_results(file: str | Path, to: str | Path | None = None) -> list[Path]:
    """Check the results in a zip file and file them in a results folder; returns their folders.

    Args:
        file: Zip file of `export`.
        to: Results folder; None for one named after the zip file, in the working folder.

    Raises:
        UserError: The file has faults, or a result is filed already; nothing was written then.
    """
    path = Path(file)
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    contents = read_zip(path)
    faults = [*contents.faults]
    if not contents.packed and not faults:
        faults = [FaultError(path, "", "results of fsarbench", "none")]
    return file_all(contents.packed, Path(to or path.stem), faults, contents.lists)


def pack_all(
    runs: Paths, submitter: str | None, weights: bool = False
) -> tuple[list[Packed], list[UserError]]:
    """Files of finished runs, and the faults of runs that cannot be packed."""
    packed: list[Packed] = []
    faults: list[UserError] = []
    for folder in find_runs([Path(path) for path in runs])[0]:
        try:
            packed += pack(folder, submitter, weights)
        except UserError as error:
            faults.append(error)
    return packed, faults


def file_all(
    packed: Sequence[Packed],
    target: Path,
    faults: Sequence[UserError] = (),
    lists: Mapping[str, bytes] | None = None,
) -> list[Path]:
    """Check submissions and write them below a results folder; returns their folders.

    Args:
        packed: Submissions.
        target: Results folder; created if it does not exist.
        faults: Faults that were found before.
        lists: Content of the `list.json` that the submissions come with, by data set.

    Raises:
        UserError: There are faults; nothing was written then.
    """
    runs, found = check_all(packed)
    own = lists_of(runs)
    compared = {**own, **(lists or {}), **existing_lists(runs, target)}
    found += folder_faults(runs, Contents(lists=compared))
    found += existing_faults(runs, target)
    found += repetition_faults([*existing_repetitions(runs, target), *runs])
    if faults or found:
        raise refused(f"nothing was written to {target}", [*faults, *found])
    with write_errors(target):
        for dataset, content in own.items():
            if not (target / dataset / LIST).exists():
                write_with_parents(target / dataset / LIST, content)
        return [write_folder(each, target) for each in packed]


def refused(what: str, faults: Sequence[UserError]) -> UserError:
    """Error that lists all faults."""
    lines = faults_text(faults)
    more = lines.count("\n")
    return UserError(f"{what}, because of {more + 1} fault{'s' if more else ''}:\n{lines}")


def lists_of(runs: Sequence[Run]) -> dict[str, bytes]:
    """Content of `list.json` by data set, from the first submission of each."""
    return {run.folder.parts[0]: json_bytes(list_of(run)) for run in reversed(runs)}


def existing_lists(runs: Sequence[Run], target: Path) -> dict[str, bytes]:
    """Content of the `list.json` that a results folder has for the data sets of some runs."""
    files = {run.folder.parts[0]: target / run.folder.parts[0] / LIST for run in runs}
    return {name: file.read_bytes()[:LIST_BYTES] for name, file in files.items() if file.is_file()}


def existing_faults(runs: Sequence[Run], target: Path) -> Iterator[FaultError]:
    """Results that are filed already, under whatever method."""
    for run in runs:
        dataset, setting, _, short_hash = run.folder.parts
        for existing in sorted((target / dataset / setting).glob(f"*/{short_hash}")):
            yield duplicate(run.folder, existing)


def existing_repetitions(runs: Sequence[Run], target: Path) -> Iterator[Run]:
    """Filed results of the same methods, with folders relative to the results folder.

    Results that cannot be read are left to `fsarbench verify`.
    """
    for method in sorted({run.folder.parent for run in runs}):
        for file in sorted((target / method).glob(f"*/{RESULT}")):
            try:
                found = read_run(file.parent)
            except UserError:
                continue
            yield from (replace(run, folder=run.folder.relative_to(target)) for run in found)


def write_folder(packed: Packed, target: Path) -> Path:
    """Write a submission below a results folder, as a whole; returns its folder.

    Raises:
        UserError: The folder exists.
    """
    folder = target / packed.place
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    temporary.mkdir(parents=True)
    try:
        for name, content in packed.content.items():
            (temporary / name).write_bytes(content)
        if packed.weights is not None:
            with packed.weights() as source, (temporary / WEIGHTS).open("wb") as copy:
                shutil.copyfileobj(source, copy)
        if folder.exists():
            raise duplicate(Path(packed.place), folder)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def write_zip(file: Path, packed: Sequence[Packed], lists: dict[str, bytes]) -> None:
    """Write a results folder as a zip file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for dataset, content in sorted(lists.items()):
            archive.writestr(_entry(f"{dataset}/{LIST}"), content)
        for each in packed:
            for name, content in each.content.items():
                archive.writestr(_entry(f"{each.place}/{name}"), content)
            if each.weights is not None:
                entry = _entry(f"{each.place}/{WEIGHTS}", zipfile.ZIP_STORED)
                with each.weights() as source, archive.open(entry, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(source, copy)


def _entry(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIME)
    entry.compress_type = compression
    entry.external_attr = 0o644 << 16
    return entry
