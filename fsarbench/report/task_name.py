"""Name of a few-shot task."""


def task_name(way: int, shot: int) -> str:
    """Return the name of an N-way K-shot task.

    Example:
        >>> task_name(5, 1)
        '5-way 1-shot'
    """
    return f"{way}-way {shot}-shot"
