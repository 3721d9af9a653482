"""Naive implementations as in published code: cosines, OTAM, Bi-MHM, and TRX on whole tuples."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fsarbench.layers import sinusoids
from fsarbench.matchers.trx import TRX


def otam_by_cells(distances: Tensor, temperature: float) -> Tensor:
    """OTAM of all pairs at once, but one cell after the other."""
    padded = F.pad(distances, (1, 1))
    cost = torch.zeros_like(padded)
    height, width = padded.shape[-2:]

    def smallest(*before: tuple[int, int]) -> Tensor:
        weights = [torch.exp(-cost[..., row, column] / temperature) for row, column in before]
        return -temperature * torch.log(sum(weights))

    for column in range(1, width):
        cost[..., 0, column] = padded[..., 0, column] + cost[..., 0, column - 1]
    for row, column in itertools.product(range(1, height), range(1, width)):
        before = [(row - 1, column - 1), (row, column - 1)]
        if column in (1, width - 1):
            before.append((row - 1, column))
        cost[..., row, column] = padded[..., row, column] + smallest(*before)
    return cost[..., -1, -1]


def otam_by_cells_both_ways(distances: Tensor, temperature: float) -> Tensor:
    """Both directions, one after the other."""
    there = otam_by_cells(distances, temperature)
    return there + otam_by_cells(distances.transpose(-1, -2), temperature)


def field_cosines(query: Tensor, shots: Tensor) -> Tensor:
    """Cosines "*E Q M T S" of query frames "*E Q T D" and frames of support videos "*E M S D"."""
    rows, columns = query.flatten(-3, -2), shots.flatten(-3, -2)
    norms = rows.norm(dim=-1, keepdim=True) * columns.norm(dim=-1).unsqueeze(-2)
    cosines = rows @ columns.transpose(-1, -2) / (norms + 0.01)
    cells = cosines.unflatten(-1, shots.shape[-3:-1]).unflatten(-3, query.shape[-3:-1])
    return cells.transpose(-3, -2)


def field_otam(query: Tensor, shots: Tensor, shot: int) -> Tensor:
    """Logits of OTAM: every support video is aligned, then the shots of a class are averaged."""
    costs = otam_by_cells_both_ways(1 - field_cosines(query, shots), 0.1)
    return -costs.unflatten(-1, (-1, shot)).mean(-1)


def field_bi_mhm(query: Tensor, shots: Tensor, shot: int) -> Tensor:
    """Logits of the bidirectional mean Hausdorff metric, with `min` as in HyRSM's code."""
    distances = 1 - field_cosines(query, shots)
    sums = distances.min(-1)[0].sum(-1) + distances.min(-2)[0].sum(-1)
    return -sums.unflatten(-1, (-1, shot)).mean(-1)


class WholeTuples(nn.Module):
    """TRX that concatenates the frames of every tuple and then maps them.

    Args:
        matcher: Whose weights it takes.
    """

    def __init__(self, matcher: TRX) -> None:
        super().__init__()
        self.sizes = [part.size for part in matcher.attentions]
        self.norms = nn.ModuleList(part.norm for part in matcher.attentions)
        self.biases = [part.key_bias for part in matcher.attentions]
        for name in ("key", "value"):
            maps = [self._whole(getattr(p, name).weight, p.size) for p in matcher.attentions]
            setattr(self, f"{name}s", nn.ParameterList(maps))

    @staticmethod
    def _whole(weight: Tensor, size: int) -> Tensor:
        return torch.cat(list(weight.detach().unflatten(0, (size, -1))), dim=1)

    def forward(self, query: Tensor, shots: Tensor) -> Tensor:
        """Logits of queries "Q S F" for classes "N P S F"."""
        query, shots = (x + 0.1 * sinusoids(x) for x in (query, shots))
        sizes = [self._distances(place, query, shots) for place in range(len(self.sizes))]
        return -torch.stack(sizes).mean(0)

    def _distances(self, place: int, query: Tensor, shots: Tensor) -> Tensor:
        size, norm, bias = self.sizes[place], self.norms[place], self.biases[place]
        asked, given = (self._tuples(x, size) for x in (query, shots))
        query_keys, keys = (norm(F.linear(x, self.keys[place], bias)) for x in (asked, given))
        query_values, values = (F.linear(x, self.values[place]) for x in (asked, given))
        return torch.stack(
            [
                self._distance(query_keys, query_values, k.flatten(0, 1), v.flatten(0, 1))
                for k, v in zip(keys, values, strict=True)
            ],
            dim=-1,
        )

    @staticmethod
    def _tuples(videos: Tensor, size: int) -> Tensor:
        chosen = itertools.combinations(range(videos.shape[-2]), size)
        return torch.stack([videos[..., list(c), :].flatten(-2) for c in chosen], -2)

    @staticmethod
    def _distance(query: Tensor, asked: Tensor, keys: Tensor, given: Tensor) -> Tensor:
        share = (query @ keys.T / keys.shape[-1] ** 0.5).softmax(-1)
        return (asked - share @ given).square().sum((-1, -2)) / asked.shape[-2]
