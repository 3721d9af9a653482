"""Upload of a finished run to the hub."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, get_token

from fsarbench.config.loading import LoadedConfig
from fsarbench.config.resolved import read_resolved
from fsarbench.errors import UserError
from fsarbench.experiments.hub.address import HubAddress, client, hub_errors, parse_address
from fsarbench.experiments.hub.files import (
    CARD,
    CONFIG,
    config_bytes,
    refuse_code,
    require_size,
    without_local_keys,
)
from fsarbench.report.model_card import model_card
from fsarbench.results.finished_runs import Run, read_run
from fsarbench.results.run_result import RESULT
from fsarbench.training.checkpoint import BEST, checkpoint_of


def push(
    run: str | Path, repo: str, *, licence: str = "", private: bool = False, message: str = ""
) -> str:
    """Upload a finished run as a model; returns the address with its commit.

    Args:
        run: Folder of the run.
        repo: Repository `OWNER/NAME`; it is created if it does not exist.
        licence: Identifier of the licence of the weights, such as `apache-2.0`.
        private: Create a private repository; an existing one stays as it is.
        message: Message of the commit.

    Raises:
        UserError: A file of the run is missing or damaged, the run needs code of the user, or the
            hub refuses the upload.
    """
    address = parse_address(repo)
    if address.revision is not None:
        raise UserError(f"'{repo}': a push goes to the main branch; leave out @REVISION.")
    folder = Path(run)
    runs = read_run(folder)
    files = model_files(folder, runs, address, licence)
    api = client()
    _refuse_token(files)
    with hub_errors(address):
        api.create_repo(address.repo, private=private or None, exist_ok=True)
        commit = api.create_commit(
            address.repo,
            [CommitOperationAdd(name, content) for name, content in files.items()],
            commit_message=message or f"Model and result of {runs[0].name}",
        )
    return str(HubAddress(address.repo, commit.oid))


def model_files(
    folder: Path, runs: list[Run], address: HubAddress, licence: str = ""
) -> dict[str, bytes | str]:
    """Files of a model by name: content, or the path of the weights.

    Args:
        folder: Folder of the run.
        runs: The run, once per test setting.
        address: Repository, which the card names.
        licence: Identifier of the licence of the weights.

    Raises:
        UserError: A file of the run is missing, or its config needs code of the user.
    """
    source = str(folder)
    values, folders = _portable(read_resolved(folder / "config.py"))
    refuse_code(values, source)
    loaded = LoadedConfig(folder / "config.py", values)
    result = _without_folders(runs[0].result, folders)
    result = {**result, "config": loaded.text()}
    files: dict[str, bytes | str] = {}
    if result.get("checkpoint") is not None:
        files[BEST] = str(_checkpoint(folder, result["checkpoint"]["sha256"]))
        # The path on this machine is of no use to others.
        result["checkpoint"] = {**result["checkpoint"], "file": BEST}
    named = [replace(run, result=_of_setting(run, result)) for run in runs]
    files[CARD] = model_card(named, values, address.repo, licence).encode()
    files[RESULT] = f"{json.dumps(result, indent=2, allow_nan=False)}\n".encode()
    files[CONFIG] = config_bytes(loaded, source)
    for name in (RESULT, CONFIG):
        require_size(name, len(files[name]), source)
    for setting in result["settings"]:
        file = folder / setting["episodes_file"]
        if not file.is_file():
            raise UserError(f"{file} is missing; the predictions are part of a model on the hub.")
        files[file.name] = file.read_bytes()
    return files


def _checkpoint(folder: Path, sha256: str) -> Path:
    file = folder / BEST
    found = checkpoint_of(file)
    if found is None:
        raise UserError(
            f"{file} is missing. Push the run that trained the model, not a later test of it."
        )
    if found.sha256 != sha256:
        raise UserError(f"{file} changed since this run was tested (SHA-256 differs).")
    return file


def _of_setting(run: Run, result: dict[str, Any]) -> dict[str, Any]:
    """Result without folders, with the way, shot and cost of one test setting."""
    own = ("conditions", "gflops")
    return {**result, **{key: run.result[key] for key in own}}


def _portable(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Config without folders of this machine, and what replaces each of them.

    Example:
        >>> _portable({"dataset": {"type": "VideoFolder", "root": "/home/me/ssv2"}})
        ({'dataset': {'type': 'VideoFolder', 'root': 'ssv2'}}, {'/home/me/ssv2': 'ssv2'})
    """
    folders: dict[str, str] = {}

    def shortened(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shortened(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(shortened, value))
        if isinstance(value, str) and Path(value).is_absolute():
            return folders.setdefault(value, Path(value).name)
        return value

    kept = {key: shortened(value) for key, value in without_local_keys(values).items()}
    return kept, folders


def _without_folders(result: Any, folders: dict[str, str]) -> Any:
    """A result with the folders of this machine replaced, such as those of skipped videos."""
    text = json.dumps(result)
    home = str(Path.home())
    replaced = {**folders, **({home: "~"} if len(home) > 1 else {})}
    for folder in sorted(replaced, key=len, reverse=True):
        text = text.replace(json.dumps(folder)[1:-1], json.dumps(replaced[folder])[1:-1])
    return json.loads(text)


def _refuse_token(files: dict[str, bytes | str]) -> None:
    """Refuse files that contain the token of the hub, for example in a config."""
    token = get_token()
    for name, content in files.items():
        if token and isinstance(content, bytes) and token.encode() in content:
            raise UserError(f"{name} contains the token of the hub; remove it from the config.")
