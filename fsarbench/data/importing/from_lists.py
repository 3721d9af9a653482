"""`fsarbench data import NAME`: write an annotation table from split lists or annotation files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fsarbench.data.annotation_tables import missing_file, write_rows, write_text
from fsarbench.data.importing.annotation_files import is_timed, read_annotations
from fsarbench.data.importing.class_names import ClassName, class_names, read_labels
from fsarbench.data.importing.known_lists import Counts, KnownDataset, split_counts
from fsarbench.data.importing.split_lists import Family, ListedVideo, SplitLists, read_lists
from fsarbench.data.importing.video_finder import VideoIndex, choose, find_videos, probe_all
from fsarbench.data.splits import grouped, partition_hash
from fsarbench.errors import UserError
from fsarbench.runtime.progress import ProgressBars
from fsarbench.video import SplitName

COLUMNS = ("path", "class", "readable", "split", "id", "frames", "fps", "size")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Result of an import.

    Attributes:
        dataset: Published data set.
        family: Layout of the lists.
        table: Annotation table that was written.
        digest: Hash over the partition of the listed ids.
        classes: Number of listed classes per split.
        listed: Number of listed videos per split.
        found: Number of these videos that exist, per split.
        missing: Ids of the listed videos that do not exist.
        nameless: Classes without a name, with their splits.
        unreadable: Folders that could not be listed.
        of_frames: Whether the first video is a folder of extracted frames.
        unused: Number of annotated videos whose class is in no split.
    """

    dataset: KnownDataset
    family: Family
    table: Path
    digest: str
    classes: Counts
    listed: Counts
    found: Counts
    missing: tuple[str, ...]
    nameless: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    of_frames: bool = False
    unused: int = 0


def import_lists(
    dataset: KnownDataset,
    splits: Path,
    videos: Path,
    labels: Sequence[Path] = (),
    out: Path | None = None,
    progress: bool = True,
) -> Imported:
    """Read split lists, find their videos, and write an annotation table without missing videos.

    Args:
        dataset: Published data set.
        splits: Folder of the split lists.
        videos: Folder of the videos; paths in the table are relative to it.
        labels: Label files of Something-Something V2.
        out: Annotation table to write; by default `NAME.csv` in the folder of the videos.
        progress: Whether to show a progress bar.

    Raises:
        UserError: The lists are invalid, or none of their videos exists.
    """
    lists = read_lists(splits, dataset.timed)
    names = class_names(lists, read_labels(labels))
    return _import(dataset, lists, names, videos, out, progress)


def import_annotations(
    dataset: KnownDataset,
    annotations: Sequence[Path],
    splits: Path,
    videos: Path,
    out: Path | None = None,
    progress: bool = True,
) -> Imported:
    """Write an annotation table from a data set's annotation files and a split of its classes.

    Args:
        dataset: Name of the data set.
        annotations: Annotation files, as in `fsarbench.data.importing.annotation_files`.
        splits: CSV file with the columns `class` and `split`, and optionally `readable`.
        videos: Folder of the videos; paths in the table are relative to it.
        out: Annotation table to write; by default `NAME.csv` in the folder of the videos.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file is invalid, or none of the videos exists.
    """
    lists, names, unused = read_annotations(annotations, splits)
    timed = dataset.timed or is_timed(lists.videos)
    imported = _import(replace(dataset, timed=timed), lists, names, videos, out, progress)
    return replace(imported, unused=unused)


def _import(
    dataset: KnownDataset,
    lists: SplitLists,
    names: dict[str, ClassName],
    videos: Path,
    out: Path | None,
    progress: bool,
) -> Imported:
    index = find_videos(videos)
    found = _find_listed(lists, names, index, dataset.timed)
    if not found:
        raise UserError(_no_video_message(lists.videos[0], videos, index))
    table = out or videos / f"{dataset.name}.csv"
    _write(table, dataset, found, names, videos, progress)
    imported = replace(
        _summarise(dataset, lists, found, table),
        nameless=_nameless(lists, names),
        unreadable=tuple(index.unreadable),
        of_frames=(videos / found[0][1]).is_dir(),
    )
    _write_missing(table, imported.missing)
    return imported


def list_hash(lists: SplitLists, timed: bool) -> str:
    """Hash over the partition of all listed video ids."""
    return partition_hash(grouped((v.split, v.label, v.identity(timed)) for v in lists.videos))


def _write(
    table: Path,
    dataset: KnownDataset,
    found: Sequence[tuple[ListedVideo, str]],
    names: dict[str, ClassName],
    videos: Path,
    progress: bool,
) -> None:
    with ProgressBars(quiet=not progress).task("read headers", len(found)) as bar:
        headers = list(probe_all((videos / path for _, path in found), bar.advance))
    rows = [
        (
            path,
            names[video.label].name,
            names[video.label].readable,
            video.split,
            video.identity(dataset.timed),
            header.frames,
            header.fps,
            header.size,
        )
        for (video, path), header in zip(found, headers, strict=True)
    ]
    write_rows(table, COLUMNS, rows)


def _write_missing(table: Path, missing: Sequence[str]) -> None:
    if missing:
        write_text(missing_file(table), "\n".join([*missing, ""]))
    else:
        missing_file(table).unlink(missing_ok=True)


def _find_listed(
    lists: SplitLists, names: dict[str, ClassName], index: VideoIndex, timed: bool
) -> list[tuple[ListedVideo, str]]:
    paths = [choose(index, video, names[video.label].name, timed) for video in lists.videos]
    found = [(video, path) for video, path in zip(lists.videos, paths, strict=True) if path]
    _require_unique_paths(found)
    return found


def _summarise(
    dataset: KnownDataset,
    lists: SplitLists,
    found: Sequence[tuple[ListedVideo, str]],
    table: Path,
) -> Imported:
    return Imported(
        dataset=dataset,
        family=lists.family,
        table=table,
        digest=list_hash(lists, dataset.timed),
        classes=split_counts(list({v.label: v.split for v in lists.videos}.values())),
        listed=split_counts([v.split for v in lists.videos]),
        found=split_counts([v.split for v, _ in found]),
        missing=_missing(lists, found),
    )


def _missing(lists: SplitLists, found: Sequence[tuple[ListedVideo, str]]) -> tuple[str, ...]:
    locations = {video.location for video, _ in found}
    return tuple(video.id for video in lists.videos if video.location not in locations)


def _require_unique_paths(found: Sequence[tuple[ListedVideo, str]]) -> None:
    first: dict[str, ListedVideo] = {}
    for video, path in found:
        before = first.setdefault(path, video)
        if before is not video:
            raise UserError(
                f"{video.location}: {path} matches this line and also {before.location}; expected "
                "one file per line."
            )


def _no_video_message(first: ListedVideo, videos: Path, index: VideoIndex) -> str:
    count, example = len(index.by_name), next(iter(index.by_name.values()), None)
    content = f"it has {count} others, such as {example[0]}" if example else "it has no video"
    return (
        f"--videos: {videos} has none of the listed videos ({content}). The first listed video is "
        f"{first.id} ({first.location}); expected a video file of this name with any video suffix, "
        "or a folder of extracted frames (img_00001.jpg)."
    )


def _nameless(lists: SplitLists, names: dict[str, ClassName]) -> tuple[str, ...]:
    splits: dict[str, SplitName] = {video.label: video.split for video in lists.videos}
    return tuple(f"{label} ({splits[label]})" for label, name in names.items() if not name.readable)
