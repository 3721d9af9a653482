"""Small byte-pair vocabulary over the words of class names and captions."""

import gzip
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from . import phrases

Pair = tuple[str, str]


def words(sentences: Iterable[str]) -> list[str]:
    """Every different word of the sentences, of the captions and of common class names, sorted."""
    spoken = [phrases.ENGLISH, *phrases.SIZE, *phrases.OPACITY, *phrases.TURNED, *phrases.EDGE]
    spoken += [*phrases.COUNT, *phrases.PHASE, "at", "row", "column", "thing", "things"]
    for table in (phrases.COLUMN, phrases.ROW, phrases.RELATION):
        spoken += [text for texts in table.values() for text in texts]
    found = re.findall(r"[a-z]+", " ".join([*spoken, *sentences]).lower())
    return sorted(set(found))


def merges(vocabulary: list[str], limit: int) -> list[Pair]:
    """Byte-pair merges that make each word one token; ties go to the first in the alphabet."""
    split = [[*word[:-1], word[-1] + "</w>"] for word in vocabulary]
    found: list[Pair] = []
    while len(found) < limit:
        pairs = Counter(pair for parts in split for pair in pairwise(parts))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(best)
        split = [_merge(parts, best) for parts in split]
    return found


def _merge(parts: list[str], pair: Pair) -> list[str]:
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def write(path: Path, pairs: list[Pair]) -> int:
    """Writes the merges as open_clip's tokenizer reads them; returns its vocabulary's size."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in pairs)]
    # no time stamp and no last newline: the same bytes each time, and no empty merge
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return 2 * 256 + len(pairs) + 2
