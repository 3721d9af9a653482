"""The command line: its verbs, and how it ends."""

import os
import sys
from typing import Annotated

import typer

from fsarbench import __version__
from fsarbench.commands.catalogue import config, list_, show
from fsarbench.commands.compare import compare
from fsarbench.commands.data import data
from fsarbench.commands.eval import eval_
from fsarbench.commands.profile import profile
from fsarbench.commands.published import published
from fsarbench.commands.report import episode, report
from fsarbench.commands.run import check, run
from fsarbench.commands.sweep import sweep
from fsarbench.errors import UserError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Few-shot action recognition: interchangeable parts, one evaluator.",
)
app.command()(check)
app.command()(run)
app.command("eval")(eval_)
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
    try:
        app()
    except UserError as error:
        print(f"fsarbench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("fsarbench: interrupted", file=sys.stderr)
        sys.exit(130)
