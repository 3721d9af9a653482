"""Finished parts of a test on disk: rows of numbers under names, in files that appear whole."""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import fsarbench
from fsarbench.data.data_module import DataModule
from fsarbench.data.video_files import stamp_of
from fsarbench.errors import UserError
from fsarbench.model import FewShotModel
from fsarbench.runtime import distributed
from fsarbench.runtime.atomic_files import atomic_path, write_below
from fsarbench.runtime.environment import describe_device, versions
from fsarbench.video import Split, Video, VideoReader

# What encodes beside the parts themselves; the parts, a user's own too, are found by their classes.
ENCODING = (
    "adapters",
    "backbones",
    "data",
    "functional",
    "layers.py",
    "model.py",
    "runtime/random_stream.py",
)


def encoder_fingerprint(module: nn.Module, data_module: DataModule, config: str) -> dict[str, str]:
    """What the outputs of a module depend on, besides the videos.

    Args:
        module: Whose weights and code count.
        data_module: How clips are read and cut, and the device.
        config: The part of the config that the module was built from.
    """
    clips, device = data_module.clips, describe_device(data_module.device)
    return {
        "config": config,
        "weights": weights_hash(module),
        "code": code_hash([*module.modules(), data_module.reader]),
        "clips": f"{clips.frames} {clips.size} {clips.resize} {clips.sampling}",
        "precision": f"{torch.get_float32_matmul_precision()} {torch.get_default_dtype()}",
        "device": f"{device['type']} {device['name']}",
        "versions": str(versions()),
    }


def weights_hash(module: nn.Module) -> str:
    """A hash over all parameters and buffers, by name."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in module.state_dict().items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(content(value))
    return found.hexdigest()


def content(values: Tensor) -> bytes:
    """The bytes of a tensor."""
    return values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def code_hash(objects: Iterable[object]) -> str:
    """A hash over the files that define the classes of some objects, and over what encodes."""
    kinds = {kind for thing in objects for kind in type(thing).__mro__}
    modules = {sys.modules.get(kind.__module__) for kind in kinds}
    named = {getattr(module, "__file__", None) for module in modules} - {None}
    # By content, not by path: another machine has the same code elsewhere.
    files = {Path(str(file)) for file in named}.union(_encoding())
    contents = sorted(file.read_bytes() for file in files if file.is_file())
    return hashlib.blake2b(b"\n".join(contents), digest_size=16).hexdigest()


def _encoding() -> Iterator[Path]:
    package = Path(fsarbench.__file__).parent
    for part in ENCODING:
        yield from [package / part] if part.endswith(".py") else (package / part).rglob("*.py")


ROWS, VALUES = "rows", "values"
SUFFIX = ".safetensors"


class DiskCache:
    """Rows of one shape that depend on the same facts, each under a name of its own.

    Other facts are another folder, so that nothing is ever taken for what it is not. The files may
    be deleted at any time; several processes may write at once.

    Args:
        folder: Where the stores of all facts lie.
        facts: Everything that a row depends on besides its name.
    """

    def __init__(self, folder: Path, facts: Mapping[str, str]) -> None:
        self.facts = dict(facts)
        self.folder = folder / digest(*(f"{key} {self.facts[key]}" for key in sorted(self.facts)))

    def read(self, names: Sequence[str]) -> dict[int, Shaped[Tensor, "..."]]:
        """The rows that are there, by their place in `names`; files are mapped into memory."""
        # Of several processes one looks: while it does, another may already write.
        return distributed.decide(lambda: self._read(names))

    def _read(self, names: Sequence[str]) -> dict[int, Tensor]:
        places = {name: place for place, name in enumerate(names)}
        found: dict[int, Tensor] = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            found |= {places[name]: row for name, row in _read(path).items() if name in places}
        return found

    def write(self, names: Sequence[str], values: Shaped[Tensor, "rows ..."]) -> None:
        """Writes some rows into a file of their own, whole or not at all.

        Raises:
            UserError: The folder cannot be written.
        """
        path = self.folder / f"{digest(*names)}{SUFFIX}"
        try:
            if not path.parent.is_dir():
                facts = json.dumps(self.facts, indent=1) + "\n"
                write_below(self.folder / "facts.json", facts.encode())
            with atomic_path(path) as aside:
                content = {VALUES: values.detach().cpu().contiguous()}
                save_file(content, aside, metadata={ROWS: json.dumps(list(names))})
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"Finished parts of the test cannot be written to {path.parent} ({error}): make "
                "room or allow writing there, or name another folder (evaluate.features, "
                "--work-dir)."
            ) from error


class ShardWriter:
    """Collects rows for a store and writes them a file at a time.

    Args:
        store: Where they go; None keeps nothing.
        least: Rows of a file; one has more only where more came at once.
    """

    def __init__(self, store: DiskCache | None, least: int) -> None:
        self.store = store
        self.least = least
        self._names: list[str] = []
        self._values: list[Tensor] = []

    def add(self, names: Sequence[str], values: Sequence[Shaped[Tensor, "..."]]) -> None:
        """Takes some rows, and writes all of them once they fill a file."""
        if self.store is not None:
            self._names += names
            self._values += values
            if len(self._names) >= self.least:
                self.close()

    def close(self) -> None:
        """Writes what is left."""
        if self.store is not None and self._names:
            self.store.write(self._names, torch.stack(self._values))
            self._names, self._values = [], []


def digest(*texts: str | bytes) -> str:
    """A hash over texts, one after the other, short enough for a file's name."""
    found = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode() if isinstance(text, str) else text
        # The length keeps ("ab", "c") apart from ("a", "bc").
        found.update(f"{len(content)}:".encode() + content)
    return found.hexdigest()


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = json.loads(file.metadata()[ROWS])
            return dict(zip(names, file.get_tensor(VALUES), strict=True))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        warnings.warn(f"{path} cannot be read and is passed over ({error}).", stacklevel=3)
        return {}


# The slots of a config that the features of a video come from.
ENCODERS = ("backbone", "adapter", "reader")


@dataclass(frozen=True)
class CacheFolders:
    """Folders of finished parts, and the config that they came from.

    Attributes:
        features: Of encoded videos; may be shared by runs, since it tells them apart.
        scores: Of episodes that were encoded anew.
        config: The values of the config.
    """

    features: Path
    scores: Path
    config: Mapping[str, Any]

    def feature_store(self, model: FewShotModel, data_module: DataModule) -> DiskCache:
        """The store of what this backbone makes of videos; the parts after it do not matter."""
        encoders = {slot: self.config.get(slot) for slot in ENCODERS}
        return DiskCache(
            self.features, encoder_fingerprint(model.backbone, data_module, _text(encoders))
        )

    def score_store(
        self, model: FewShotModel, data_module: DataModule, split: Split
    ) -> DiskCache | None:
        """The store of what this model makes of episodes; None where videos cannot be told apart.

        Each row depends on the whole model and, for simplicity, on all videos of the split.
        """
        names = [video_name(video, data_module.reader) for video in split.videos]
        if None in names:
            return None
        facts = encoder_fingerprint(model, data_module, _text(self.config))
        return DiskCache(self.scores, facts | {"videos": digest(*map(str, names))})


def video_name(video: Video, reader: VideoReader, text: bytes = b"") -> str | None:
    """What a video is known by, together with the text that it is encoded with.

    None where there is nothing that could be known again.
    """
    source = reader.source(video.path)
    try:
        return digest(os.path.abspath(source), stamp_of(source), text)
    except OSError:
        return None


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, default=str)
