"""`pocketbench report`: the page of a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.finish import check_output, write_campaign_report

__all__ = ["report"]


def report(
    campaign: Annotated[str, typer.Argument(help="A campaign's identifier, or `last`.")] = "last",
    output: Annotated[Path, typer.Option(help="The report, one self-contained HTML file.")] = Path("report.html"),
) -> None:
    """Write the report of a campaign again, running and interrupted ones too.

    Example: pocketbench report last --output report.html
    """
    from pocketbench.harness.home import home_directory
    from pocketbench.harness.store.store import Store

    check_output(output)
    with Store(home_directory()) as store:
        write_campaign_report(store, store.resolve(campaign), output)
