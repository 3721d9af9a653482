"""`fsarbench features`."""

from typing import Annotated

import typer

from fsarbench.cli.options import Device, Overrides, Quiet
from fsarbench.cli.report import Trust


def features(
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Folder to write.")],
    config: Annotated[
        str | None,
        typer.Argument(metavar="CONFIG", help="Config file, or name of a config of the package."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Finished run with the config and checkpoint to use."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="train, val or test; repeatable. By default all splits."),
    ] = None,
    overrides: Overrides = None,
    device: Device = None,
    trust: Trust = False,
    quiet: Quiet = False,
) -> None:
    """Encode all videos once and write their features to a folder; resumable.

    To train and test on these features, set `dataset = dict(type="FeatureFolder", root=DIR)` and
    `backbone = dict(type="Precomputed")` in a config.
    """
    from fsarbench.experiments.features import write_feature_folder

    write_feature_folder(
        config,
        overrides or (),
        out=out,
        run=run,
        splits=split or (),
        device=device,
        trust=trust,
        quiet=quiet,
    )
