"""Entry point of the command line: commands, error messages and exit status."""

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
from fsarbench.cli.hub import push
from fsarbench.cli.profile import profile
from fsarbench.cli.report import episode, report
from fsarbench.cli.results import export, import_results, submit, verify
from fsarbench.cli.run import check, eval_, run
from fsarbench.cli.sweep import sweep
from fsarbench.errors import UserError, killed_worker_message

# Error numbers of a full, read-only or broken disk.
STORAGE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
# ASCII replacements of characters in tables and messages.
ASCII = {"±": "+-", "\u00d7": "x", "\u2013": "-", "—": "-", "…": "...", "→": "->"}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Few-shot action recognition: interchangeable components, one evaluator.",
)
app.command()(check)
app.command()(run)
app.command("eval")(eval_)
app.command()(features)
app.command()(sweep)
app.command()(compare)
app.command()(push)
app.command()(published)
app.command()(profile)
app.command()(report)
app.command()(episode)
app.command()(export)
app.command("import-results")(import_results)
app.command()(submit)
app.command()(verify)
app.command("list")(list_)
app.command()(show)
app.command()(config)
app.add_typer(data, name="data")


def print_version(requested: bool) -> bool:
    """Print the version and exit if `--version` is given."""
    if requested:
        print(f"fsarbench {__version__}")
        raise typer.Exit()
    return requested


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
    """Run the command line; errors that the user can fix give one message and exit status 2."""
    # Waiting OpenMP threads spin by default. Next to decoding workers, or on a shared machine, they
    # slow each other down: matching was 20 times slower. Must be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # The backend of a notebook is inherited; importing matplotlib fails if it does not exist here.
    os.environ["MPLBACKEND"] = "agg"
    replace_unencodable()
    try:
        app()
    except UserError as error:
        print(f"fsarbench: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in STORAGE_ERRORS:
            raise
        print(f"fsarbench: cannot write {error.filename or 'a file'}: {error}", file=sys.stderr)
        sys.exit(2)
    except RuntimeError as error:
        message = killed_worker_message(error)
        if message is None:
            raise
        print(f"fsarbench: {message}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("fsarbench: interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        close_output()


def replace_unencodable() -> None:
    """Replace characters that the terminal or pipe cannot encode, instead of raising an error."""
    codecs.register_error("fsarbench", _to_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fsarbench")


def close_output() -> None:
    """Flush standard output; ignore a closed pipe, for example of `head`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output again at exit, and would print the error then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _to_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(ASCII.get(character, "?") for character in characters), error.end
