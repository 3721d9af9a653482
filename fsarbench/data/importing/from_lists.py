"""`fsarbench data import NAME`: the field's lists and a folder of videos to one table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fsarbench.data.importing.class_names import ClassName, class_names, read_labels
from fsarbench.data.importing.known_lists import Counts, Field, split_counts
from fsarbench.data.importing.output import write_rows, write_text
from fsarbench.data.importing.split_lists import Family, Listed, Lists, read_lists
from fsarbench.data.importing.video_finder import Found, choose, find_videos, probe_all
from fsarbench.data.splits import grouped, partition_hash
from fsarbench.errors import UserError
from fsarbench.runtime.progress import ProgressBars
from fsarbench.video import SplitName

COLUMNS = ("path", "class", "readable", "split", "id", "frames", "fps", "size")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import found.

    Attributes:
        field: The data set.
        family: Whose lists they were.
        table: The annotation table that was written.
        digest: The hash over the listed ids and their partition.
        classes: Classes of each split in the lists.
        listed: Videos of each split in the lists.
        found: Those of them that are there.
        missing: The others, by id.
        nameless: Classes without a name, each with its split.
        closed: Folders that could not be looked into.
        of_frames: Whether the first video is a folder of extracted frames.
    """

    field: Field
    family: Family
    table: Path
    digest: str
    classes: Counts
    listed: Counts
    found: Counts
    missing: tuple[str, ...]
    nameless: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    of_frames: bool = False


def import_lists(
    field: Field,
    splits: Path,
    videos: Path,
    labels: Sequence[Path] = (),
    out: Path | None = None,
    progress: bool = True,
) -> Imported:
    """Read the lists, find their videos, and write the table; those missing are left out of it.

    Args:
        field: The data set.
        splits: The folder of the lists.
        videos: The folder of the videos; the paths of the table start there.
        labels: Label files of Something-Something V2.
        out: The table; by default `NAME.csv` in the folder of the videos.
        progress: Whether to show how far it is.

    Raises:
        UserError: The lists cannot be right, or none of their videos is there.
    """
    lists = read_lists(splits, field.timed)
    names = class_names(lists, read_labels(labels))
    there = find_videos(videos)
    found = _located(lists, names, there, field.timed)
    if not found:
        raise UserError(_nothing(lists.videos[0], videos, there))
    table = out or videos / f"{field.name}.csv"
    _write(table, field, found, names, videos, progress)
    imported = replace(
        _described(field, lists, found, table),
        nameless=_nameless(lists, names),
        closed=tuple(there.closed),
        of_frames=(videos / found[0][1]).is_dir(),
    )
    _write_missing(table, imported.missing)
    return imported


def list_hash(lists: Lists, timed: bool) -> str:
    """The hash over the ids of all listed videos and their partition."""
    return partition_hash(grouped((v.split, v.group, v.identity(timed)) for v in lists.videos))


def missing_file(table: Path) -> Path:
    """Where the ids of missing videos are written: beside the table."""
    return table.with_suffix(".missing.txt")


def _write(
    table: Path,
    field: Field,
    found: Sequence[tuple[Listed, str]],
    names: dict[str, ClassName],
    videos: Path,
    progress: bool,
) -> None:
    with ProgressBars(quiet=not progress).task("read headers", len(found)) as bar:
        headers = list(probe_all((videos / path for _, path in found), bar.advance))
    rows = [
        (
            path,
            names[video.group].name,
            names[video.group].readable,
            video.split,
            video.identity(field.timed),
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


def _located(
    lists: Lists, names: dict[str, ClassName], there: Found, timed: bool
) -> list[tuple[Listed, str]]:
    paths = [choose(there, video, names[video.group].name, timed) for video in lists.videos]
    found = [(video, path) for video, path in zip(lists.videos, paths, strict=True) if path]
    _refuse_shared(found)
    return found


def _described(
    field: Field, lists: Lists, found: Sequence[tuple[Listed, str]], table: Path
) -> Imported:
    return Imported(
        field=field,
        family=lists.family,
        table=table,
        digest=list_hash(lists, field.timed),
        classes=split_counts(list({v.group: v.split for v in lists.videos}.values())),
        listed=split_counts([v.split for v in lists.videos]),
        found=split_counts([v.split for v, _ in found]),
        missing=_missing(lists, found),
    )


def _missing(lists: Lists, found: Sequence[tuple[Listed, str]]) -> tuple[str, ...]:
    places = {video.place for video, _ in found}
    return tuple(video.id for video in lists.videos if video.place not in places)


def _refuse_shared(found: Sequence[tuple[Listed, str]]) -> None:
    first: dict[str, Listed] = {}
    for video, path in found:
        before = first.setdefault(path, video)
        if before is not video:
            raise UserError(
                f"{video.place}: {path} would be the video of two lines, also of {before.place}."
            )


def _nothing(first: Listed, videos: Path, there: Found) -> str:
    some = next(iter(there.by_name.values()), None)
    seen = f"it holds {len(there.by_name)} others, such as {some[0]}" if some else "it holds none"
    return (
        f"--videos: none of the listed videos is below {videos} ({seen}). The list begins with "
        f"{first.id} ({first.place}); it is looked for with any suffix of videos, or as a "
        "folder of extracted frames (img_00001.jpg)."
    )


def _nameless(lists: Lists, names: dict[str, ClassName]) -> tuple[str, ...]:
    splits: dict[str, SplitName] = {video.group: video.split for video in lists.videos}
    return tuple(f"{group} ({splits[group]})" for group, n in names.items() if not n.readable)
