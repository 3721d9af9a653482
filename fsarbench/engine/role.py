"""The features of videos in one role, support or query."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fsarbench.evaluation.disk_cache import Shelf, Store
from fsarbench.runtime import distributed

# Videos of one file of a store: what a test that is killed may lose.
SHARD = 64


class Role:
    """Collects features by video index.

    Args:
        wanted: The videos that play this role.

    Attributes:
        missing: Those whose features are still to come.
    """

    def __init__(self, wanted: Bool[np.ndarray, " V"]) -> None:
        self.missing = wanted.copy()
        self._names: Sequence[str | None] = ()
        self._shelf = Shelf(None, SHARD)
        self._kept: Tensor | None = None
        self._new: dict[int, Tensor] = {}

    def keep(self, store: Store, names: Sequence[str | None], device: torch.device) -> None:
        """Takes what a store has, and writes to it what is put in from now on.

        Args:
            store: The store.
            names: What each video is known by there; one that has none is not kept.
            device: Where features go.
        """
        wanted = [v for v in np.flatnonzero(self.missing).tolist() if names[v] is not None]
        found = store.read([str(names[video]) for video in wanted])
        self._take({wanted[place]: row.to(device) for place, row in found.items()})
        self._names, self._shelf = names, Shelf(store, SHARD)

    def put(self, videos: np.ndarray, features: Float[Tensor, "B T D"]) -> None:
        """Adds the features of some videos."""
        new = dict(zip(videos.tolist(), features, strict=True))
        self._new |= new
        self._take(new)
        if self._names:
            known = {name: row for v, row in new.items() if (name := self._names[v]) is not None}
            self._shelf.add(list(known), list(known.values()))

    def finish(self, device: torch.device) -> Float[Tensor, "V T D"]:
        """All features, also those that other processes put in; the rows of other videos are 0."""
        self._shelf.close()
        self._take({video: row.to(device) for video, row in distributed.gather(self._new).items()})
        assert self._kept is not None, "an episode has at least one query"
        return self._kept

    def _take(self, rows: Mapping[int, Float[Tensor, "T D"]]) -> None:
        if not rows:
            return
        features = torch.stack(list(rows.values()))
        if self._kept is None:
            self._kept = features.new_zeros(len(self.missing), *features.shape[1:])
        self._kept[torch.tensor(list(rows), device=features.device)] = features
        self.missing[list(rows)] = False
