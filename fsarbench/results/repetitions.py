"""Repetitions: runs of one name that differ only in their training seed."""

from collections.abc import Iterable, Mapping, Sequence

from fsarbench.errors import UserError
from fsarbench.results.config_diff import differences
from fsarbench.results.finished_runs import Run


def repetitions(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs of one name, submitter, data set, way and shot, in the order of their first run."""
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.name, run.submitter, *run.setting), []).append(run)
    return list(groups.values())


def check_repetitions(group: Sequence[Run]) -> None:
    """Check that the runs of a group differ in their seed, and in nothing else.

    Raises:
        UserError: Their configs or test conditions differ, or a seed occurs twice.
    """
    for run in group[1:]:
        check_repetition(group[0], run)
    check_seeds(group)


def check_repetition(first: Run, other: Run) -> None:
    """Check that two runs of the same name differ only in their seed.

    Raises:
        UserError: Their configs or test conditions differ.
    """
    different = {**differences(first.config, other.config), **_conditions(first, other)}
    if different:
        key, (value, other_value) = next(iter(different.items()))
        more = f" ({len(different) - 1} more keys differ)" if len(different) > 1 else ""
        raise UserError(
            f"Two runs are called '{first.name}' but differ in more than their seed: {key} is "
            f"{value or 'not set'} in {first.folder} and {other_value or 'not set'} in "
            f"{other.folder}{more}. Give one of them another name (`fsarbench run --name`), or "
            "leave it out."
        )


def check_seeds(group: Sequence[Run]) -> None:
    """Check that no seed occurs twice, which would count as a repetition.

    Raises:
        UserError: A seed occurs twice.
    """
    runs_by_seed: dict[int, Run] = {}
    for run in group:
        seed = run.conditions["seed"]
        if seed in runs_by_seed:
            raise UserError(
                f"{run.name} with seed {seed} occurs more than once: {runs_by_seed[seed].folder} "
                f"and {run.folder}. Give only one of these folders."
            )
        runs_by_seed[seed] = run


def _conditions(first: Run, other: Run) -> Mapping[str, tuple[str, str]]:
    pairs = {
        key: (str(first.conditions[key]), str(other.conditions[key]))
        for key in ("data_fingerprint", "episodes", "episodes_seed", "selection")
    }
    if (
        first.predictions
        and other.predictions
        and not first.predictions.same_episodes(other.predictions)
    ):
        pairs["episodes.npz"] = ("one list of episodes", "another list")
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
