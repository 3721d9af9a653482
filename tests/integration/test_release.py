"""Files around the package: citation, workflows, Dockerfile, and what the archives contain."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from fsarbench import __version__
from fsarbench.config.loading import find_config

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def read_yaml(path: Path) -> dict[Any, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def minor_versions(text: str) -> list[str]:
    return re.findall(r"\b3\.\d+\b", text)


def test_the_citation_has_the_version_of_the_package() -> None:
    citation = read_yaml(ROOT / "CITATION.cff")
    assert citation["version"] == __version__
    assert f'license = "{citation["license"]}"' in PROJECT
    assert citation["title"].startswith("fsarbench")


def test_there_is_a_workflow_for_test_docs_and_release() -> None:
    assert [path.stem for path in WORKFLOWS] == ["docs", "release", "test"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_pinned_actions_and_no_secrets(path: Path) -> None:
    workflow = read_yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text(encoding="utf-8")
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+\.\d+\.\d+", step.get("uses", "a/b@v1.0.0"))


def test_the_workflow_tests_every_version_that_the_package_names() -> None:
    workflow = read_yaml(ROOT / ".github" / "workflows" / "test.yml")
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", PROJECT)
    (lowest,) = re.findall(r'requires-python = ">=(3\.\d+)"', PROJECT)
    assert tested == named
    assert tested[0] == lowest


def test_a_release_is_published_by_tag_without_a_token() -> None:
    workflow = read_yaml(ROOT / ".github" / "workflows" / "release.yml")
    # YAML 1.1 reads the key `on` as True.
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    publish = workflow["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert not any("password" in step.get("with", {}) for step in publish["steps"])


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile, those over several lines put together."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in found]


def values(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def test_the_image_has_its_base_as_an_argument() -> None:
    assert instructions()[:2] == [("ARG", "BASE=python:3.12-slim"), ("FROM", "${BASE}")]
    (version,) = minor_versions(values("ARG")[0])
    assert f"Programming Language :: Python :: {version}" in PROJECT


def test_the_image_copies_what_the_wheel_needs() -> None:
    sources = [source for line in values("COPY") for source in line.split()[:-1]]
    assert all((ROOT / source).exists() for source in sources)
    assert {"pyproject.toml", "README.md", "LICENSE", "fsarbench", "configs", "registry"} == {
        *sources
    }
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    assert {f"!{source}" for source in sources} <= {*ignored}


def test_the_image_runs_the_main_job_as_a_user() -> None:
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert values("USER") == ["fsarbench"]
    (place,), (command,) = values("WORKDIR"), values("CMD")
    volumes, verb = yaml.safe_load(values("VOLUME")[0]), yaml.safe_load(command)
    assert f"{place}/runs" in volumes
    assert yaml.safe_load(values("ENTRYPOINT")[0]) == ["fsarbench"]
    assert verb[0] == "run"
    assert find_config(verb[1]).is_file()


def test_the_commands_of_the_image_are_valid_shell() -> None:
    for command in values("RUN"):
        assert shlex.split(command)
