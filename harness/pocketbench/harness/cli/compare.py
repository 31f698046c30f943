"""`pocketbench compare`: what changed from one campaign to another, and whether it is too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_rows

if TYPE_CHECKING:
    from pocketbench.harness.comparing.comparison import ComparedCampaigns
    from pocketbench.harness.comparing.facts import Measured
    from pocketbench.harness.comparing.gate import Judged
    from pocketbench.harness.store.store import Store

__all__ = ["compare"]


def compare(
    campaign_a: Annotated[str, typer.Argument(help="What to compare with: a campaign's identifier, or `last`.")],
    campaign_b: Annotated[str, typer.Argument(help="What is asked about, likewise.")],
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            help="latency, size or quality, < or >, and a change from A to B; several times for several. Exit code 1 "
            "where a whole interval lies beyond it."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare two campaigns, job by job, through the ratio to their reference: never milliseconds of different days.

    Example: pocketbench compare 20260725T0930 last --fail-if "latency > +5%" --fail-if "quality < -0.5%"
    """
    from pocketbench.harness.comparing.comparison import check_compared, compare_campaigns
    from pocketbench.harness.comparing.gate import check_judged, judge_jobs
    from pocketbench.harness.comparing.limits import parse_limit
    from pocketbench.harness.comparing.listing import as_data, worst_outcome
    from pocketbench.harness.home import home_directory
    from pocketbench.harness.store.store import Store

    limits = [parse_limit(text) for text in dict.fromkeys(fail_if or ())]
    with Store(home_directory()) as store:
        identifiers = [store.resolve(text) for text in (campaign_a, campaign_b)]
        compared = compare_campaigns(*(_read(store, identifier) for identifier in identifiers))
    judged = judge_jobs(limits, compared)
    if json:
        print_json(as_data(compared, judged))
    else:
        _print(compared, judged)
    check_compared(compared)
    check_judged(limits, judged)
    if worst_outcome(judged) == "fails":
        raise typer.Exit(1)


def _read(store: Store, campaign_id: str) -> Measured:
    from pocketbench.harness.campaign.tables import campaign_tables
    from pocketbench.harness.comparing.facts import read_measured
    from pocketbench.harness.comparing.power import tells_power

    tables = campaign_tables(store, campaign_id, samples=False)
    if tells_power(tables):
        # What a battery said is among the traces, which take longer to read.
        tables = campaign_tables(store, campaign_id)
    return read_measured(tables, store.evaluation(campaign_id))


def _print(compared: ComparedCampaigns, judged: tuple[Judged, ...]) -> None:
    from pocketbench.harness.comparing import listing

    for name, measured in (("A", compared.before), ("B", compared.after)):
        print_line(f"{name}  {measured.campaign_id}")
    for note in compared.notes:
        print_line(note)
    print_line("\nLatency is the ratio to the reference in B over that in A: above 1 is slower.")
    _print_rows(listing.JOB_COLUMNS, listing.job_rows(compared))
    if conditions := listing.condition_rows(compared):
        print_line("\nDifferent conditions")
        _print_rows(listing.CONDITION_COLUMNS, conditions)
    if judged:
        print_line("\nLimits")
        _print_rows(listing.LIMIT_COLUMNS, listing.limit_rows(judged))


def _print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    from pocketbench.harness.comparing.listing import filled

    print_rows(filled(columns, rows), rows, as_json=False, empty="neither campaign has a job")
