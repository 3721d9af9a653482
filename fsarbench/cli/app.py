"""The command line: its verbs, and how it ends."""

import codecs
import errno
import io
import os
import sys
from typing import Annotated

import typer

from fsarbench import __version__
from fsarbench.cli.catalogue import config, list_, published, show
from fsarbench.cli.compare import compare
from fsarbench.cli.data import data
from fsarbench.cli.features import features
from fsarbench.cli.profile import profile
from fsarbench.cli.report import episode, report
from fsarbench.cli.run import check, eval_, run
from fsarbench.cli.sweep import sweep
from fsarbench.errors import UserError, killed_worker_message

# What the system says of a disk that is full, read-only or broken.
STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
# Characters of our tables and messages in ASCII.
PLAIN = {"±": "+-", "\u00d7": "x", "\u2013": "-", "—": "-", "…": "...", "→": "->"}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Few-shot action recognition: interchangeable parts, one evaluator.",
)
app.command()(check)
app.command()(run)
app.command("eval")(eval_)
app.command()(features)
app.command()(sweep)
app.command()(compare)
app.command()(published)
app.command()(profile)
app.command()(report)
app.command()(episode)
app.command("list")(list_)
app.command()(show)
app.command()(config)
app.add_typer(data, name="data")


def print_version(asked: bool) -> bool:
    """Print the version and end, where `--version` is given."""
    if asked:
        print(f"fsarbench {__version__}")
        raise typer.Exit()
    return asked


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Few-shot action recognition: interchangeable components, one evaluator."""


def main() -> None:
    """Run the command line; what a user can mend ends with exit status 2 and one message."""
    # OpenMP's threads spin while they wait. Beside decoding workers, or on a shared machine, they
    # then starve each other: matching was 20 times slower so. It has to be set before torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A notebook's backend is inherited and may not exist here; importing matplotlib would fail.
    os.environ["MPLBACKEND"] = "agg"
    print_anywhere()
    try:
        app()
    except UserError as error:
        print(f"fsarbench: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in STORAGE:
            raise
        print(f"fsarbench: cannot write {error.filename or 'a file'}: {error}", file=sys.stderr)
        sys.exit(2)
    except RuntimeError as error:
        said = killed_worker_message(error)
        if said is None:
            raise
        print(f"fsarbench: {said}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("fsarbench: interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        close_output()


def print_anywhere() -> None:
    """Let no character that a terminal or pipe cannot encode end a command."""
    codecs.register_error("fsarbench", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fsarbench")


def close_output() -> None:
    """Flush standard output; a reader that has closed the pipe, such as `head`, is no fault."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would print the error there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in letters), error.end
