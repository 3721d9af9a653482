"""Class names of listed videos: as the list spells them, and as prompts want them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsarbench.data.importing.split_lists import Listed, Lists, refuse
from fsarbench.data.splits import NUMBERED
from fsarbench.errors import UserError


def read_labels(places: Iterable[Path]) -> dict[str, str]:
    """Templates ("Pushing [something] from left to right") by video id.

    Args:
        places: JSON files, or folders of them: lists of objects with `id` and `template`, as the
            data set brings them, or one object of templates by id.

    Raises:
        UserError: A file is missing, is no such JSON, or none has a template.
    """
    paths = list(places)
    found: dict[str, str] = {}
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            found |= _read(file, tolerant=path.is_dir())
    if paths and not found:
        raise UserError(
            f"--labels: no templates in {', '.join(map(str, paths))}; expected the data set's own "
            "JSON, a list of objects with 'id' and 'template'."
        )
    return found


def _read(file: Path, tolerant: bool) -> dict[str, str]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"--labels: {file} cannot be read as JSON: {error}.") from error
    found = _templates(content)
    if not found and not tolerant:
        raise UserError(
            f"--labels: {file} has no templates; expected the data set's own JSON, a list of "
            "objects with 'id' and 'template'."
        )
    return found


def _templates(content: Any) -> dict[str, str]:
    if isinstance(content, dict):
        # labels.json of the data set maps templates to numbers, which are no templates.
        return {
            key: value for key, value in content.items() if isinstance(value, str) and " " in value
        }
    if not isinstance(content, list):
        return {}
    return {
        str(item["id"]): str(item["template"])
        for item in content
        if isinstance(item, dict) and "id" in item and "template" in item
    }


@dataclass(frozen=True)
class ClassName:
    """Both forms of a class name; `readable` is empty for a class that nobody named."""

    name: str
    readable: str


def class_names(lists: Lists, labels: Mapping[str, str]) -> dict[str, ClassName]:
    """The name of each class of the lists, by its group.

    A name is looked for in the list itself, in the names beside it, in the folders of its videos,
    and in the label file, and has to be the same in all that have one.

    Args:
        lists: The lists.
        labels: Templates by video id, of data sets that have them.

    Raises:
        UserError: Two sources name a class differently, or two classes have one name.
    """
    groups: dict[str, list[Listed]] = defaultdict(list)
    for video in lists.videos:
        groups[video.group].append(video)
    folders = _folders(lists.videos)
    names: dict[str, ClassName] = {}
    faults: list[str] = []
    for group, videos in groups.items():
        try:
            names[group] = _named(lists, videos, folders.get(group, ""), labels)
        except UserError as error:
            faults.append(str(error))
    refuse([*faults, *_shared(names)])
    return names


def spelled_out(name: str) -> str:
    """A name with spaces for underscores and before capitals inside it; its case stays.

    Example:
        >>> spelled_out("ThrowDiscus"), spelled_out("brush_hair")
        ('Throw Discus', 'brush hair')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(words.replace("_", " ").split())


def plain(name: str) -> str:
    """Only the letters and digits of a name, in lower case: what its spellings have in common.

    Example:
        >>> plain("Pushing [something]") == plain("pushing_something")
        True
    """
    return "".join(c for c in name.lower() if c.isalnum())


def _named(lists: Lists, videos: list[Listed], folder: str, labels: Mapping[str, str]) -> ClassName:
    group, place = videos[0].group, videos[0].place
    own = "" if NUMBERED.fullmatch(group) else group
    beside = _beside(lists, group, place)
    template = _template(group, place, videos, labels)
    found = [name for name in (own, folder, beside, template) if name]
    if len({plain(name) for name in found}) > 1:
        raise UserError(
            f"{place}: the class {group} has several names: "
            f"{', '.join(dict.fromkeys(repr(name) for name in found))}. Are the lists, "
            "class_names.json and the label file of one data set?"
        )
    # class_names.json comes last: it spells some names otherwise than all others ("Blow DryHair").
    return ClassName(
        name=found[0] if found else group,
        readable=template or spelled_out(own or folder or beside),
    )


def _beside(lists: Lists, group: str, place: str) -> str:
    match = NUMBERED.fullmatch(group)
    if match is None or match[1] not in lists.names:
        return ""
    names, number = lists.names[match[1]], int(group.removeprefix(match[1]))
    if number >= len(names):
        raise UserError(
            f"{place}: the class {group} has no name, class_names.json has {len(names)} for "
            f"{match[1]} (0 to {len(names) - 1})."
        )
    return names[number]


def _folders(videos: Iterable[Listed]) -> dict[str, str]:
    # A folder names a class if all its videos, and no others, are in it.
    folders: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        folders[video.group].add(video.folder)
        groups[video.folder].add(video.group)
    alone = {group: min(found) for group, found in folders.items() if len(found) == 1}
    return {group: folder for group, folder in alone.items() if len(groups[folder]) == 1}


def _template(group: str, place: str, videos: list[Listed], labels: Mapping[str, str]) -> str:
    found = sorted({labels[video.id] for video in videos if video.id in labels})
    if len({plain(template) for template in found}) > 1:
        raise UserError(
            f"{place}: the label file gives the videos of the class {group} several templates, "
            f"such as '{found[0]}' and '{found[1]}'. Is it of this data set?"
        )
    return found[0] if found else ""


def _shared(names: Mapping[str, ClassName]) -> list[str]:
    first: dict[str, str] = {}
    faults = []
    for group, name in names.items():
        before = first.setdefault(name.name, group)
        if before != group:
            faults.append(f"The classes {before} and {group} have one name, '{name.name}'.")
    return faults
