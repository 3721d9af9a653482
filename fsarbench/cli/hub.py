"""`fsarbench push`."""

from typing import Annotated

import typer


def push(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    repo: Annotated[
        str, typer.Argument(metavar="REPO", help="OWNER/NAME; created if it does not exist.")
    ],
    licence: Annotated[
        str, typer.Option(help="Licence of the weights, such as apache-2.0; by default not stated.")
    ] = "",
    private: Annotated[bool, typer.Option(help="Create a private repository.")] = False,
) -> None:
    """Upload a run to the Hugging Face hub: weights, config, predictions and a model card.

    The token is that of `hf auth login` or of HF_TOKEN. Others load the model as hub:OWNER/NAME.
    """
    from fsarbench.experiments.hub.push import push as upload

    print(f"pushed to {upload(run, repo, licence=licence, private=private)}")
