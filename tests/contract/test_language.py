"""Private words that this project replaced by the field's standard terms, found by file and line.

The list has only words without a legitimate use in the searched texts. Pages and tables that runs
and benchmarks wrote are not searched.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"fsarbench": ("*.py", "*.md"), "docs": ("*.md", "*.py")}
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
GENERATED = ("docs/generated/", "docs/results/", "docs/readers.md")

MEASURED = re.compile(r"<!-- benchmarks -->.*<!-- /benchmarks -->", re.DOTALL)

# Pattern, and the term to write instead.
WORDS = (
    (r"\bfilms?\b", "video"),
    (r"\banew\b", "again, or uncached"),
    (r"\bhouses?\b", "architecture"),
    (r"\brooms\b", "package"),
    (r"\bfloors\b", "layers"),
    (r"\btuned (?:parts?|parameters?|weights?)\b", "trainable parameters, or checkpoint"),
    (r"\b(?:videos?|quer(?:y|ies)|shots?|prototypes?|GFLOPs?|seconds?) an? "
     r"(?:class|episode|video|clip)\b", "per class, per episode"),
    (r"\b(?:GFLOPs?|FLOPs?|clips|frames) a (?:second|clip|frame|video)\b", "per second"),
    (r"\bwhat (?:a|the|its) parts? (?:makes?|says?|sees?|saw)\b", "output of a component"),
    (r"\bwhat is (?:said|told|asked)\b", "a noun phrase"),
    (r"\ba class of its own\b(?! episode)", "a separate class"),
    (r"\bcomes? along\b|\bcame along\b", "is part of the package"),
    (r"\blies? beside\b|\bstands? beside\b", "is next to"),
    (r"\bfor people\b", "human-readable"),
)  # fmt: skip


def texts() -> Iterator[Path]:
    """Searched files."""
    for folder, patterns in FOLDERS.items():
        for pattern in patterns:
            for file in sorted((ROOT / folder).rglob(pattern)):
                if not file.relative_to(ROOT).as_posix().startswith(GENERATED):
                    yield file
    yield from (ROOT / name for name in FILES)


def findings(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, words and better term of each private word in a text.

    Line breaks count as spaces, because a phrase may run over two lines.
    """
    text = MEASURED.sub(lambda block: "\n" * block[0].count("\n"), text)
    for pattern, better in WORDS:
        for match in re.finditer(pattern.replace(" ", r"\s+(?:#\s+)?"), text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()), better


@pytest.mark.parametrize("folder", [*FOLDERS, "."])
def test_texts_use_the_standard_terms(folder: str) -> None:
    parents = {f: f.relative_to(ROOT).parts for f in texts()}
    chosen = [f for f, parts in parents.items() if (parts[0] if len(parts) > 1 else ".") == folder]
    assert chosen
    found = [
        f"{file.relative_to(ROOT)}:{line}: '{words}': write '{better}'"
        for file in chosen
        for line, words, better in findings(file.read_text(encoding="utf-8"))
    ]
    assert not found, "\n" + "\n".join(found)


def test_a_private_word_is_found_with_its_line() -> None:
    text = "Decode a video.\n# Each film is encoded\n# anew, with one query\n# a class.\n"
    lines = sorted((line, words) for line, words, _ in findings(text))
    assert lines == [(2, "film"), (3, "anew"), (3, "query # a class")]
