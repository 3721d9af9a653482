"""Disk cache of features and scores: named rows of tensors in atomically written files."""

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
from fsarbench.runtime.atomic_files import atomic_path, write_with_parents
from fsarbench.runtime.environment import describe_device, versions
from fsarbench.video import Split, Video, VideoReader

# Code that affects features besides the components; those are found by their classes.
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
    """Fingerprint of everything that a module's outputs depend on, except the videos.

    Args:
        module: Module whose weights and code are hashed.
        data_module: Reader, clip settings and device.
        config: Section of the config that the module was built from.
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
    """Hash of all parameters and buffers with their names."""
    hasher = hashlib.blake2b(digest_size=16)
    for name, value in module.state_dict().items():
        hasher.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        hasher.update(content(value))
    return hasher.hexdigest()


def content(values: Tensor) -> bytes:
    """Bytes of a tensor."""
    return values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def code_hash(objects: Iterable[object]) -> str:
    """Hash of the source files of some objects' classes and of the encoding code."""
    classes = {cls for item in objects for cls in type(item).__mro__}
    modules = {sys.modules.get(cls.__module__) for cls in classes}
    paths = {getattr(module, "__file__", None) for module in modules} - {None}
    # By content, not by path: another machine has the same code elsewhere.
    files = {Path(str(file)) for file in paths}.union(_encoding_files())
    contents = sorted(file.read_bytes() for file in files if file.is_file())
    return hashlib.blake2b(b"\n".join(contents), digest_size=16).hexdigest()


def _encoding_files() -> Iterator[Path]:
    package = Path(fsarbench.__file__).parent
    for name in ENCODING:
        yield from [package / name] if name.endswith(".py") else (package / name).rglob("*.py")


ROWS, VALUES = "rows", "values"
SUFFIX = ".safetensors"


class DiskCache:
    """Named tensors of one shape that share a fingerprint, stored in a folder.

    Each fingerprint has its own folder, so that stale rows are never read. The files may be deleted
    at any time, and several processes may write at once.

    Args:
        folder: Parent folder of the caches of all fingerprints.
        facts: Fingerprint: everything that a row depends on besides its name.
    """

    def __init__(self, folder: Path, facts: Mapping[str, str]) -> None:
        self.facts = dict(facts)
        self.folder = folder / digest(*(f"{key} {self.facts[key]}" for key in sorted(self.facts)))

    def read(self, names: Sequence[str]) -> dict[int, Shaped[Tensor, "..."]]:
        """Stored rows by their index in `names`; files are memory-mapped."""
        # Only one process reads the folder, because others may already be writing to it.
        return distributed.decide(lambda: self._read(names))

    def _read(self, names: Sequence[str]) -> dict[int, Tensor]:
        indices = {name: index for index, name in enumerate(names)}
        rows: dict[int, Tensor] = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            rows |= {
                indices[name]: row for name, row in _read_file(path).items() if name in indices
            }
        return rows

    def write(self, names: Sequence[str], values: Shaped[Tensor, "rows ..."]) -> None:
        """Write some rows atomically into a new file.

        Raises:
            UserError: The folder is not writable.
        """
        path = self.folder / f"{digest(*names)}{SUFFIX}"
        try:
            if not path.parent.is_dir():
                facts = json.dumps(self.facts, indent=1) + "\n"
                write_with_parents(self.folder / "facts.json", facts.encode())
            with atomic_path(path) as temporary:
                content = {VALUES: values.detach().cpu().contiguous()}
                save_file(content, temporary, metadata={ROWS: json.dumps(list(names))})
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"Cached features or scores cannot be written to {path.parent} ({error}): free "
                "disk space, make the folder writable, or set another one (evaluate.features, "
                "--work-dir)."
            ) from error


class ShardWriter:
    """Buffered writer of rows to a disk cache, one file per full buffer.

    Args:
        disk_cache: Disk cache; None to discard all rows.
        rows_per_file: Minimum number of rows per file, except for the last file.
    """

    def __init__(self, disk_cache: DiskCache | None, rows_per_file: int) -> None:
        self.disk_cache = disk_cache
        self.rows_per_file = rows_per_file
        self._names: list[str] = []
        self._values: list[Tensor] = []

    def add(self, names: Sequence[str], values: Sequence[Shaped[Tensor, "..."]]) -> None:
        """Add rows, and write the buffer once it is full."""
        if self.disk_cache is not None:
            self._names += names
            self._values += values
            if len(self._names) >= self.rows_per_file:
                self.close()

    def close(self) -> None:
        """Write the remaining rows."""
        if self.disk_cache is not None and self._names:
            self.disk_cache.write(self._names, torch.stack(self._values))
            self._names, self._values = [], []


def digest(*texts: str | bytes) -> str:
    """Hash of a sequence of texts, short enough for a file name."""
    hasher = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode() if isinstance(text, str) else text
        # The length keeps ("ab", "c") apart from ("a", "bc").
        hasher.update(f"{len(content)}:".encode() + content)
    return hasher.hexdigest()


def _read_file(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = json.loads(file.metadata()[ROWS])
            return dict(zip(names, file.get_tensor(VALUES), strict=True))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        warnings.warn(f"{path} cannot be read and is skipped ({error}).", stacklevel=3)
        return {}


# Config slots that the features of a video depend on.
ENCODERS = ("backbone", "adapter", "reader")


@dataclass(frozen=True)
class CacheFolders:
    """Folders of the disk caches, and the config of the run.

    Attributes:
        features: Folder of video features; runs may share it, because fingerprints keep them apart.
        scores: Folder of the scores of uncached episodes.
        config: Values of the config.
    """

    features: Path
    scores: Path
    config: Mapping[str, Any]

    def feature_cache(
        self, model: FewShotModel, data_module: DataModule, bf16: bool = False
    ) -> DiskCache:
        """Disk cache of the features of backbone and necks, independent of later components."""
        encoders = {slot: self.config.get(slot) for slot in ENCODERS}
        module: nn.Module = model.backbone
        if model.necks():
            encoders["necks"] = neck_configs(self.config)
            module = nn.ModuleDict({"backbone": model.backbone, **model.necks()})
        facts = encoder_fingerprint(module, data_module, _text(encoders))
        return DiskCache(self.features, facts | ({"encoded in": "bf16"} if bf16 else {}))

    def score_cache(
        self, model: FewShotModel, data_module: DataModule, split: Split
    ) -> DiskCache | None:
        """Disk cache of episode scores; None if a video of the split has no name.

        Rows depend on the whole model and, for simplicity, on all videos of the split.
        """
        names = [video_name(video, data_module.reader) for video in split.videos]
        if None in names:
            return None
        facts = encoder_fingerprint(model, data_module, _text(self.config))
        if model.text_encoder is not None and model.text_encoder.corpus_sha256:
            facts["corpus"] = model.text_encoder.corpus_sha256
        return DiskCache(self.scores, facts | {"videos": digest(*map(str, names))})


def neck_configs(config: Mapping[str, Any]) -> dict[str, Any]:
    """Config of each neck: that of all branches, and those of single branches by name."""
    branches = config.get("branches") or {}
    return {"": config.get("neck"), **{name: spec.get("neck") for name, spec in branches.items()}}


def video_name(video: Video, reader: VideoReader, text: bytes = b"") -> str | None:
    """Name of a video, its side files and the text it is encoded with, in the disk cache.

    None if its source file or a side file cannot be identified.
    """
    source = reader.source(video.path)
    try:
        side = [f"{k} {os.path.abspath(f)} {stamp_of(f)}" for k, f in sorted(video.extra.items())]
        row = () if video.row is None else (f"row {video.row}",)
        return digest(os.path.abspath(source), stamp_of(source), text, *side, *row)
    except OSError:
        return None


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, default=str)
