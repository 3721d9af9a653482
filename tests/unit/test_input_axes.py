"""Messages of matchers, prototype builders and backbones about inputs with wrong axes."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from fsarbench.errors import UserError
from fsarbench.interfaces import Matcher
from fsarbench.matchers import OTAM
from fsarbench.prototypes import Mean, TextGuided

QUERY, PROTOTYPES = torch.rand(10, 8, 16), torch.rand(1, 5, 1, 8, 16)


@pytest.mark.parametrize(
    ("query", "prototypes", "expected"),
    [
        (QUERY[0], PROTOTYPES, r"'query': expected a tensor \"Q S F\" .* got \[8, 16\] \(2 axes"),
        (QUERY, PROTOTYPES[0], r"'prototypes': .*\(4 axes, expected 5: #Q = queries, or 1; N = "),
        (QUERY, PROTOTYPES[..., :4], r"'prototypes': .*axis F \(feature width\) is 4, expected 16"),
        (QUERY, PROTOTYPES[..., :4, :], r"'prototypes': .*axis S .* is 4, expected 8"),
        (QUERY, PROTOTYPES.expand(3, 5, 1, 8, 16), r"axis Q \(queries\) is 3, expected 10"),
        (QUERY.long(), PROTOTYPES, r"'query': expected a tensor of type float, got torch.int64"),
        (QUERY.numpy(), PROTOTYPES, r"'query': expected a tensor \"Q S F\", got ndarray"),
    ],
)
def test_the_message_of_a_matcher_names_argument_and_axis(
    query: Tensor, prototypes: Tensor, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^OTAM: argument .*{expected}"):
        OTAM()(query, prototypes)


def test_inputs_by_keyword() -> None:
    with pytest.raises(UserError, match="OTAM: argument 'query'"):
        OTAM()(prototypes=PROTOTYPES, query=QUERY[0])


def test_a_prototype_builder_that_inherits_forward_is_checked() -> None:
    support = torch.rand(5, 2, 8, 16)
    with pytest.raises(UserError, match=r"Mean: argument 'support': .*K = support videos"):
        Mean()(support[:, 0], QUERY, None)
    with pytest.raises(UserError, match=r"TextGuided: argument 'text': .*axis N .* is 4"):
        TextGuided(16, heads=2)(support, QUERY, torch.rand(4, 1, 16))


def test_a_component_without_annotations_is_checked_against_its_slot() -> None:
    class Own(Matcher):
        def forward(self, query, prototypes):  # type: ignore[no-untyped-def]
            return query.mean((1, 2))[:, None].expand(-1, prototypes.shape[1])

    assert Own()(QUERY, PROTOTYPES).shape == (10, 5)
    with pytest.raises(UserError, match="Own: argument 'query'"):
        Own()(QUERY[0], PROTOTYPES)


def test_the_check_does_not_change_results() -> None:
    matcher = OTAM()
    expected = matcher(QUERY, PROTOTYPES)
    assert torch.equal(torch.vmap(matcher)(QUERY[None], PROTOTYPES[None])[0], expected)
    assert matcher(QUERY.to("meta"), PROTOTYPES.to("meta")).shape == expected.shape


def test_the_check_does_not_break_compiled_graphs() -> None:
    # In another process, because the type checks of the test suite cannot be compiled.
    code = (
        "import torch\n"
        "from fsarbench.matchers import OTAM\n"
        "inputs = torch.rand(10, 8, 16), torch.rand(1, 5, 1, 8, 16)\n"
        "compiled = torch.compile(OTAM(), backend='eager', fullgraph=True)\n"
        "assert torch.equal(compiled(*inputs), OTAM()(*inputs))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
