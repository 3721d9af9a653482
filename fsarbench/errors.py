"""The one exception that a user's input can cause."""


class UserError(Exception):
    """Something the user can mend; the command line prints it without a traceback and exits with 2.

    The message names the file, key, class or video, says what was expected and what to do.
    """
