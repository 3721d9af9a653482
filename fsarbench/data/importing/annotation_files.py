"""Lists of videos with their classes, and a class split: FineGym, Diving48, Kinetics-400, your own.

Data sets without a published few-shot split come as annotation files (which video shows which
class). With a file that assigns classes to train, val and test they make the same split lists as
the published ones.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from fsarbench.data.annotation_tables import (
    Row,
    read_table,
    require_all_splits,
    require_inside,
    require_one_split,
)
from fsarbench.data.importing.class_names import ClassName, spelled_out
from fsarbench.data.importing.split_lists import (
    TIME,
    ListedVideo,
    SplitLists,
    duplicates,
    lines_of,
    raise_faults,
)
from fsarbench.errors import UserError, first_names

# Names of columns and JSON keys in the annotation files of published data sets.
VIDEO_KEYS = ("id", "video", "path", "vid_name", "video_id", "video_name", "youtube_id")
CLASS_KEYS = ("class", "label")
START, END = "time_start", "time_end"
EXPECTED = (
    "a CSV file with a header line, a JSON list of objects, or a text file with lines 'video "
    f"class'; the video is in one of {', '.join(VIDEO_KEYS)}, the class in "
    f"{' or '.join(CLASS_KEYS)}"
)


def read_annotations(
    files: Sequence[Path], splits: Path
) -> tuple[SplitLists, dict[str, ClassName], int]:
    """Read annotation files and a class split.

    Args:
        files: Annotation files: CSV, JSON or text.
        splits: CSV file with the columns `class` and `split`, and optionally `readable`, the class
            name for prompts. Classes are spelled as in the annotation files.

    Returns:
        The split lists, the names of the classes, and the number of videos whose class is in no
        split.

    Raises:
        UserError: A file cannot be read, a class of the split has no video, or a video is listed
            twice.
    """
    classes = read_classes(splits)
    pairs = [pair for file in files for pair in videos_and_classes(file)]
    videos = [
        ListedVideo(row.location, classes[label].split(), label, path)
        for row, path, label in pairs
        if label in classes
    ]
    without = [label for label in classes if label not in {video.label for video in videos}]
    if without:
        some = next((label for _, _, label in pairs), "")
        raise UserError(
            f"{splits}: {len(without)} classes have no video in the annotation files "
            f"({first_names(without)}). Spell them as there, for example '{some}'."
        )
    raise_faults(duplicates(videos, is_timed(videos)))
    lists = SplitLists("table", tuple(videos), {})
    return lists, {label: _name(row) for label, row in classes.items()}, len(pairs) - len(videos)


def read_classes(splits: Path) -> dict[str, Row]:
    """Rows of a class split by class.

    Raises:
        UserError: The file is invalid, a class is in two splits, or a split has no class.
    """
    if splits.is_dir():
        raise UserError(
            f"--splits: {splits} is a folder. With --annotations, name a CSV file with the columns "
            "class and split."
        )
    rows = read_table(splits, ("class", "split"))
    require_one_split(rows)
    require_all_splits(splits, [row.split() for row in rows])
    return {row["class"]: row for row in rows}


def is_timed(videos: Iterable[ListedVideo]) -> bool:
    """Whether all ids end in start and end seconds, as in Kinetics."""
    return all(TIME.search(video.id) for video in videos)


def videos_and_classes(file: Path) -> Iterator[tuple[Row, PurePosixPath, str]]:
    """Rows of an annotation file with the path or id of the video and the class.

    Raises:
        UserError: The file cannot be read, has other columns, or an empty cell.
    """
    readers = {".csv": _rows_of_csv, ".json": _rows_of_json}
    rows = readers.get(file.suffix.lower(), _rows_of_text)(file)
    if not rows:
        raise UserError(f"--annotations: {file} lists no video; expected {EXPECTED}.")
    video, label = (_key(file, rows[0], keys) for keys in (VIDEO_KEYS, CLASS_KEYS))
    for row in rows:
        if not row[video] or not row[label]:
            raise UserError(f"{row.location}: {video if not row[video] else label} is empty.")
        require_inside(row, video)
        yield row, PurePosixPath(row[video].replace("\\", "/") + _times(row)), row[label]


def _rows_of_csv(file: Path) -> list[Row]:
    return read_table(file, ())


def _rows_of_json(file: Path) -> list[Row]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"--annotations: {file} cannot be read as JSON: {error}.") from error
    if not isinstance(content, list) or not all(isinstance(item, Mapping) for item in content):
        raise UserError(f"--annotations: {file} is not a list of objects; expected {EXPECTED}.")
    return [
        Row(f"{file}, item {n}", {str(key): str(value).strip() for key, value in item.items()})
        for n, item in enumerate(content, 1)
    ]


def _rows_of_text(file: Path) -> list[Row]:
    rows = []
    for location, line in lines_of(file):
        video, _, label = line.partition(" ")
        rows.append(Row(location, {"video": video, "class": label.strip()}))
    return rows


def _key(file: Path, row: Row, keys: Sequence[str]) -> str:
    for key in keys:
        if key in row.cells:
            return key
    raise UserError(
        f"--annotations: {file} has none of {', '.join(keys)} (found: {', '.join(row.cells)}); "
        f"expected {EXPECTED}."
    )


def _times(row: Row) -> str:
    """Start and end seconds as in the names of Kinetics' files; empty without these columns."""
    if not (row[START] and row[END]):
        return ""
    try:
        return f"_{int(float(row[START])):06d}_{int(float(row[END])):06d}"
    except ValueError:
        raise UserError(
            f"{row.location}: {START} is '{row[START]}' and {END} '{row[END]}'; expected seconds."
        ) from None


def _name(row: Row) -> ClassName:
    # A number is no name for a prompt.
    label = row["class"]
    return ClassName(label, row["readable"] or ("" if label.isdigit() else spelled_out(label)))
