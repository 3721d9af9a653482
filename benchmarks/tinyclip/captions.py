"""Captions of frames, and the matrix of captions that are true of frames.

A caption is a demand on at most two things of a frame and on how the first stands to the second, so
that it can be held against every frame of a batch: a caption that is true of several frames is a
right answer for all of them, not a mistake.
"""

from typing import NamedTuple

import numpy as np

from .facts import ANY, AT, FACETS, GRIDS, NONE, RELATIONS, Facts
from .phrases import COUNT, EDGE, OPACITY, PHASE, RELATION, SIZE, TURNED, position


class Names(NamedTuple):
    """Words of the numbers in `shape`, `colour`, `texture` and `action`."""

    shape: tuple[str, ...]
    colour: tuple[str, ...]
    texture: tuple[str, ...]
    action: tuple[str, ...]


class Caption(NamedTuple):
    """A sentence and what it demands (`ANY`: nothing)."""

    words: str
    first: np.ndarray
    second: np.ndarray | None
    relation: np.ndarray
    count: int = ANY
    action: int = ANY
    phase: int = ANY


class Captioner:
    """Draws captions of frames."""

    def __init__(self, names: Names, generator: np.random.Generator) -> None:
        self.names = names
        self.generator = generator

    def caption(self, facts: Facts, i: int) -> Caption:
        """One caption that is true of frame `i`."""
        chance = self.generator.random()
        if facts.action[i] >= 0 and chance < 0.12:
            return self._named(facts, i)
        shown = np.flatnonzero(facts.things[i, :, 0] != NONE)
        if len(shown) == 0 or chance > 0.98:
            return _empty(COUNT[len(shown)])._replace(count=len(shown))
        order = self.generator.permutation(shown)
        if len(order) == 1 or chance < 0.4:
            words, demand = self._thing(facts.things[i, order[0]])
            return _empty(words)._replace(first=demand)
        return self._two(facts, i, order[0], order[1])

    def _named(self, facts: Facts, i: int) -> Caption:
        action, phase = int(facts.action[i]), int(facts.phase[i])
        before = ("", "a photo of ", "a video of ")[self.generator.integers(3)]
        words = before + self.names.action[action].lower()
        if self._often(0.75):
            return _empty(f"{words}, {PHASE[phase]}")._replace(action=action, phase=phase)
        return _empty(words)._replace(action=action)

    def _two(self, facts: Facts, i: int, a: int, b: int) -> Caption:
        first, demand = self._thing(facts.things[i, a], 0.7)
        second, other = self._thing(facts.things[i, b], 0.4)
        relation, asked = self._relation(facts.pairs[i, a, b])
        words = f"{first} {relation or 'and'} {second}"
        return _empty(words)._replace(first=demand, second=other, relation=asked)

    def _relation(self, values: np.ndarray) -> tuple[str, np.ndarray]:
        asked = np.full(len(RELATIONS), ANY)
        words = []
        for k in self.generator.permutation(len(RELATIONS)):
            if values[k] != NONE and len(words) < 2 and self._often(0.45):
                asked[k] = values[k]
                words.append(RELATION[RELATIONS[k]][values[k]])
        return " and ".join(words), asked

    def _thing(self, values: np.ndarray, placed: float = 1.0) -> tuple[str, np.ndarray]:
        demand = np.full(len(FACETS), ANY)
        before = self._looks(values, demand)
        after = self._place(values, demand) if self._often(placed) else ""
        return " ".join(filter(None, (before, after))), demand

    def _looks(self, values: np.ndarray, demand: np.ndarray) -> str:
        """Words before the place: size, opacity, tilt, and seldom the appearance."""
        words = [
            self._word(values, demand, "size", SIZE, 0.3),
            self._word(
                values, demand, "opacity", OPACITY, 0.15 if values[AT["opacity"]] == 2 else 0.6
            ),
            self._word(values, demand, "tilt", TURNED, 0.12),
        ]
        noun = "something"
        if self._often(0.12):
            words.append(self._word(values, demand, "colour", self.names.colour, 0.6))
            words.append(self._word(values, demand, "texture", self.names.texture, 0.4))
            noun = self._word(values, demand, "shape", self.names.shape, 0.7) or "thing"
        told = [word for word in words if word]
        return (
            f"something {' '.join(told)}".strip()
            if noun == "something"
            else " ".join(["a", *told, noun])
        )

    def _place(self, values: np.ndarray, demand: np.ndarray) -> str:
        edge = self._word(values, demand, "edge", EDGE, 0.3)
        grid = int(self.generator.choice(GRIDS, p=(0.1, 0.25, 0.3, 0.35)))
        cell = [NONE, NONE]
        alone = int(self.generator.integers(2))
        for axis, facet in enumerate((f"x{grid}", f"y{grid}")):
            if self._often(0.7) or axis == alone:
                demand[AT[facet]] = cell[axis] = int(values[AT[facet]])
        return " ".join(filter(None, (position(grid, *cell), edge)))

    def _word(
        self,
        values: np.ndarray,
        demand: np.ndarray,
        facet: str,
        words: tuple[str, ...],
        often: float,
    ) -> str:
        value = int(values[AT[facet]])
        if value < 0 or not self._often(often):
            return ""
        demand[AT[facet]] = value
        return words[value]

    def _often(self, chance: float) -> bool:
        return bool(self.generator.random() < chance)


def _empty(words: str) -> Caption:
    return Caption(words, np.full(len(FACETS), ANY), None, np.full(len(RELATIONS), ANY))


def truth(facts: Facts, captions: list[Caption]) -> np.ndarray:
    """Which of M captions hold for which of N frames, "N M"."""
    nobody = np.full(len(FACETS), ANY)
    first = np.stack([c.first for c in captions])
    second = np.stack([nobody if c.second is None else c.second for c in captions])
    alone = np.array([c.second is None for c in captions])
    asked = np.stack([c.relation for c in captions])
    one, other = _meets(facts.things, first), _meets(facts.things, second)
    there = facts.things[:, :, :1] != NONE
    pair = (
        _meets(facts.pairs, asked) & one[:, :, None] & (other & there)[:, None] & there[:, :, None]
    )
    pair &= ~np.eye(there.shape[1], dtype=bool)[None, :, :, None]
    single = (one & there).any(1) | (first == ANY).all(-1)
    holds = np.where(alone, single, pair.any((1, 2)))
    for name in ("count", "action", "phase"):
        wanted = np.array([getattr(c, name) for c in captions])
        holds &= (wanted == ANY) | (wanted == getattr(facts, name)[:, None])
    return holds


def _meets(values: np.ndarray, demands: np.ndarray) -> np.ndarray:
    """Whether facets "... F" meet demands "M F", "... M"; a facet at a time, to stay small."""
    met = np.ones((*values.shape[:-1], len(demands)), dtype=bool)
    for k in range(values.shape[-1]):
        met &= (demands[:, k] == ANY) | (values[..., k, None] == demands[:, k])
    return met
