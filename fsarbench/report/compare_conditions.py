"""What a row's numbers were obtained under, and in what it differs from the other rows."""

from collections import Counter
from collections.abc import Sequence

from fsarbench.report.comparison.rows import Row

ON_TEST = "tuned parts were selected on the test classes"
UNKNOWN = "it is not known on which classes the tuned parts were selected"
SELECTION = {"test": ON_TEST, "unknown": UNKNOWN}


def conditions(row: Row) -> dict[str, str]:
    """What has to be the same for two numbers of one setting to be compared, in words."""
    given = row.first.conditions
    clips = given["clips"]
    skipped = len(given.get("skipped_videos", {}))
    queries = given["queries_a_class"]
    return {
        "data": f"split hash {given['data_fingerprint'][:8]}",
        "left out": f"{skipped or 'no'} video{'' if skipped == 1 else 's'} left out",
        "episodes": f"{given['episodes']:,} episodes",
        "draw": f"episodes of seed {given['episodes_seed']}",
        "queries": f"{queries} {'query' if queries == 1 else 'queries'} a class",
        "clips": f"{clips['frames']} frames of {clips['size']} pixels, {clips['sampling']}",
        "selection": SELECTION.get(given["selection"], "no look at the test classes"),
    }


def reference_of(rows: Sequence[Row]) -> Row:
    """The first row under the conditions that most rows share."""
    kinds = Counter(tuple(conditions(row).values()) for row in rows)
    common = kinds.most_common(1)[0][0]
    return next(row for row in rows if tuple(conditions(row).values()) == common)


def differs(row: Row, reference: Row) -> list[str]:
    """In what a row's conditions are not those of the reference, in words; empty where alike."""
    ours, theirs = conditions(row), conditions(reference)
    found = [f"{ours[key]}, not {theirs[key]}" for key in ours if ours[key] != theirs[key]]
    kept = row.drawn is not None and reference.drawn is not None
    if not found and kept and not row.same_episodes(reference):
        return ["other episodes under the same seed"]
    return found
