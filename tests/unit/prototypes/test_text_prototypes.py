"""Prototypes from the text of the classes."""

import pytest
import torch

from fsarbench.errors import UserError
from fsarbench.prototypes.text_prototypes import TextPrototypes

N, K, S, D, Q = 3, 2, 5, 4, 6


def test_every_step_is_the_mean_of_the_sentences_and_the_support_is_not_read() -> None:
    text, query = torch.randn(N, 2, D), torch.randn(Q, S, D)
    prototypes, matched = TextPrototypes()(torch.full((N, K, S, D), torch.nan), query, text)
    assert matched is query
    assert prototypes.shape == (1, N, 1, S, D)
    for n in range(N):
        for step in range(S):
            torch.testing.assert_close(prototypes[0, n, 0, step], (text[n, 0] + text[n, 1]) / 2)


def test_text_of_the_width_of_the_features_is_needed() -> None:
    support, query = torch.zeros(N, K, S, D), torch.zeros(Q, S, D)
    with pytest.raises(UserError, match="TextPrototypes needs the text features of the classes"):
        TextPrototypes()(support, query, None)
    with pytest.raises(UserError, match=r"text features of width 7 with frame features of width 4"):
        TextPrototypes()(support, query, torch.zeros(N, 1, D + 3))
