"""Class names of listed videos: spelling of the list, and readable name for prompts."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsarbench.data.importing.split_lists import ListedVideo, SplitLists, raise_faults
from fsarbench.data.splits import NUMBERED
from fsarbench.errors import UserError


def read_labels(paths: Iterable[Path]) -> dict[str, str]:
    """Read templates ("Pushing [something] from left to right") by video id.

    Args:
        paths: JSON files, or folders of them. Each is a list of objects with `id` and `template`,
            as the data set provides, or one object that maps ids to templates.

    Raises:
        UserError: A file is missing or not such a JSON file, or no file has a template.
    """
    given = list(paths)
    templates: dict[str, str] = {}
    for path in given:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            templates |= _read(file, tolerant=path.is_dir())
    if given and not templates:
        raise UserError(
            f"--labels: no templates in {', '.join(map(str, given))}; expected the label file of "
            "the data set, a JSON list of objects with 'id' and 'template'."
        )
    return templates


def _read(file: Path, tolerant: bool) -> dict[str, str]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"--labels: {file} cannot be read as JSON: {error}.") from error
    templates = _templates(content)
    if not templates and not tolerant:
        raise UserError(
            f"--labels: {file} has no templates; expected the label file of the data set, a JSON "
            "list of objects with 'id' and 'template'."
        )
    return templates


def _templates(content: Any) -> dict[str, str]:
    if isinstance(content, dict):
        # labels.json of the data set maps templates to numbers instead.
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
    """Spelling of a class name in the list, and readable name; empty for a class without name."""

    name: str
    readable: str


def class_names(lists: SplitLists, labels: Mapping[str, str]) -> dict[str, ClassName]:
    """Names of the listed classes, by class label.

    Sources of a name are the class label, `class_names.json`, the folder of the videos, and the
    label file. All sources that name a class have to agree.

    Args:
        lists: Split lists.
        labels: Templates by video id, for data sets that have them.

    Raises:
        UserError: Sources disagree about the name of a class, or two classes have the same name.
    """
    videos_by_label: dict[str, list[ListedVideo]] = defaultdict(list)
    for video in lists.videos:
        videos_by_label[video.label].append(video)
    folders = _class_folders(lists.videos)
    names: dict[str, ClassName] = {}
    faults: list[str] = []
    for label, videos in videos_by_label.items():
        try:
            names[label] = _class_name(lists, videos, folders.get(label, ""), labels)
        except UserError as error:
            faults.append(str(error))
    raise_faults([*faults, *_shared_names(names)])
    return names


def spelled_out(name: str) -> str:
    """Replace underscores by spaces and insert a space before inner capitals; keep the case.

    Example:
        >>> spelled_out("ThrowDiscus"), spelled_out("brush_hair")
        ('Throw Discus', 'brush hair')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(words.replace("_", " ").split())


def letters_of(name: str) -> str:
    """Letters and digits of a name in lower case, to compare different spellings.

    Example:
        >>> letters_of("Pushing [something]") == letters_of("pushing_something")
        True
    """
    return "".join(c for c in name.lower() if c.isalnum())


def _class_name(
    lists: SplitLists, videos: list[ListedVideo], folder: str, labels: Mapping[str, str]
) -> ClassName:
    label, location = videos[0].label, videos[0].location
    spelled = "" if NUMBERED.fullmatch(label) else label
    from_json = _name_from_json(lists, label, location)
    template = _template(label, location, videos, labels)
    names = [name for name in (spelled, folder, from_json, template) if name]
    if len({letters_of(name) for name in names}) > 1:
        raise UserError(
            f"{location}: the class {label} has several names: "
            f"{', '.join(dict.fromkeys(repr(name) for name in names))}. Check that the lists, "
            "class_names.json and the label file belong to the same data set."
        )
    # class_names.json is last, because some of its spellings are wrong ("Blow DryHair").
    return ClassName(
        name=names[0] if names else label,
        readable=template or spelled_out(spelled or folder or from_json),
    )


def _name_from_json(lists: SplitLists, label: str, location: str) -> str:
    match = NUMBERED.fullmatch(label)
    if match is None or match[1] not in lists.names:
        return ""
    names, number = lists.names[match[1]], int(label.removeprefix(match[1]))
    if number >= len(names):
        raise UserError(
            f"{location}: the class {label} has no name: class_names.json has {len(names)} names "
            f"for {match[1]} (0 to {len(names) - 1})."
        )
    return names[number]


def _class_folders(videos: Iterable[ListedVideo]) -> dict[str, str]:
    # A folder names a class if it contains all videos of the class, and no others.
    folders: dict[str, set[str]] = defaultdict(set)
    labels: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        folders[video.label].add(video.folder)
        labels[video.folder].add(video.label)
    only = {label: min(names) for label, names in folders.items() if len(names) == 1}
    return {label: folder for label, folder in only.items() if len(labels[folder]) == 1}


def _template(
    label: str, location: str, videos: list[ListedVideo], labels: Mapping[str, str]
) -> str:
    templates = sorted({labels[video.id] for video in videos if video.id in labels})
    if len({letters_of(template) for template in templates}) > 1:
        raise UserError(
            f"{location}: the label file has several templates for the videos of the class "
            f"{label}, such as '{templates[0]}' and '{templates[1]}'. Check that it belongs to "
            "this data set."
        )
    return templates[0] if templates else ""


def _shared_names(names: Mapping[str, ClassName]) -> list[str]:
    first: dict[str, str] = {}
    faults = []
    for label, name in names.items():
        before = first.setdefault(name.name, label)
        if before != label:
            faults.append(f"The classes {before} and {label} have the same name, '{name.name}'.")
    return faults
