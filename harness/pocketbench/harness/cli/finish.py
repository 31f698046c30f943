"""What `run`, `bench` and `demo` share: measure a plan, write its report, print the verdict."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.connection import TerminalAsk, device_registry
from pocketbench.harness.cli.output import print_line, progress_view
from pocketbench.harness.home import home_directory

if TYPE_CHECKING:
    from pocketbench.harness.campaign.plan import Plan
    from pocketbench.harness.store.store import Store

__all__ = ["check_output", "measure_and_report", "write_campaign_report"]


def measure_and_report(plan: Plan, output: Path, *, resume: bool = False, record: Path | None = None) -> None:
    """Run (or resume) the campaign of `plan`, write the report to `output`, print the verdict.

    What goes to and from the devices is written below `record`, where one is named.

    Where a device was lost, the report has what was measured until then, and the error is raised after it is written.
    """
    from pocketbench.harness.campaign.run import resume_campaign, run_campaign
    from pocketbench.harness.errors import CampaignInterruptedError
    from pocketbench.harness.store.store import Store

    check_output(output)
    home = home_directory()
    campaign = resume_campaign if resume else run_campaign
    with Store(home) as store:
        try:
            with progress_view() as view:
                campaign_id = campaign(
                    plan,
                    store=store,
                    registry=device_registry(),
                    home=home,
                    progress=view,
                    ask=TerminalAsk(),
                    record=record,
                )
        except CampaignInterruptedError as error:
            write_campaign_report(store, error.campaign_id, output)
            raise
        usable = write_campaign_report(store, campaign_id, output)
    if not usable:
        raise typer.Exit(3)


def write_campaign_report(store: Store, campaign_id: str, output: Path) -> bool:
    """Write the page and print verdict and path; False where no launch of the campaign could be used."""
    from pocketbench.harness.campaign.tables import campaign_tables
    from pocketbench.reports.page import write_report
    from pocketbench.reports.verdict import verdict

    tables = campaign_tables(store, campaign_id)
    write_report(tables, output)
    print_line(verdict(tables).text)
    print_line(f"\ncampaign {campaign_id}\nreport   {output.absolute()}")
    return bool((tables.launches["status"] == "ok").any())


def check_output(output: Path) -> None:
    """Refuse a report path that cannot be written, before anything is measured."""
    folder = output.absolute().parent
    if output.is_dir() or output.suffix != ".html":
        raise InputError(f"expected a file ending in .html for the report, got {str(output)!r}.")
    if not folder.is_dir():
        raise InputError(f"expected an existing folder for the report, got {str(folder)!r}: make it first.")
    try:
        # Tried, not asked: permissions say nothing about a read-only or full disk.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".report-"):
            pass
    except OSError as error:
        raise InputError(
            f"expected a folder that can be written for the report, got {str(folder)!r}: {error.strerror}; "
            "choose another with --output."
        ) from error
