"""`pocketbench run`: a whole plan, from model to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.connection import CampaignRecordOption, PrepareOption
from pocketbench.harness.cli.finish import measure_and_report

__all__ = ["run"]


def run(
    plan: Annotated[Path, typer.Argument(help="The plan, a YAML file; docs/plan.md has every key.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with this plan's last, interrupted campaign.")
    ] = False,
    prepare: PrepareOption = None,
    output: Annotated[Path | None, typer.Option(help="The report; default: report.html beside the plan.")] = None,
    record: CampaignRecordOption = None,
) -> None:
    """Compress, deploy, measure and report as a plan says.

    Example: pocketbench run plan.yaml
    """
    from pocketbench.harness.campaign.plan import load_plan

    wanted = load_plan(plan)
    if prepare:
        wanted = wanted.prepared_with(prepare)
    measure_and_report(wanted, output or plan.parent / "report.html", resume=resume, record=record)
