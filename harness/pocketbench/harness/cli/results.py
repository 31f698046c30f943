"""`pocketbench results`: what the store holds."""

from __future__ import annotations

import json as json_module
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.cli.output import JsonOption, print_line, print_rows

if TYPE_CHECKING:
    import pandas as pd

    from pocketbench.reports.tables import CampaignTables

__all__ = ["app"]

# Tables whose rows lie beside the database.
_READ_FROM_FILES = ("samples", "traces")

app = typer.Typer(help="List, show and export what was measured.", no_args_is_help=True, rich_markup_mode=None)

Campaign = Annotated[str, typer.Argument(help="A campaign's identifier, or `last`.")]


@app.command("list")
def list_results(json: JsonOption = False) -> None:
    """List the campaigns in the store, newest first.

    Example: pocketbench results list
    """
    from pocketbench.harness.home import home_directory
    from pocketbench.harness.store.store import Store

    with Store(home_directory()) as store:
        rows = store.campaigns()
    columns = ("campaign_id", "name", "status", "started_at", "devices", "variants", "launches")
    print_rows(columns, rows, as_json=json, empty="no campaigns yet: run `pocketbench demo` or `pocketbench run`")


@app.command()
def show(campaign: Campaign, json: JsonOption = False) -> None:
    """Show one campaign: every job with its latency, ratio and quality, and what does not look right.

    Example: pocketbench results show last
    """
    from pocketbench.harness.campaign.tables import campaign_tables, job_summary
    from pocketbench.harness.home import home_directory
    from pocketbench.harness.store.store import Store

    with Store(home_directory()) as store:
        tables = campaign_tables(store, store.resolve(campaign), samples=False)
    rows = job_summary(tables)
    figures = [name for name in ("per_s", "last_minute") if any(_is_asked(row, name) for row in rows)]
    columns = (
        "variant",
        "device",
        "engine",
        "threads",
        "latency_ms",
        *figures,
        "ratio",
        "quality",
        "size_kB",
        "status",
    )
    print_rows(columns, rows, as_json=json, empty="this campaign has no jobs")
    if not json:
        for reason in dict.fromkeys(f"{row['variant']}: {row['reason']}" for row in rows if row["reason"]):
            print_line(reason)
        for line in (*_opinions(rows), *_findings(tables)):
            print_line(line)


def _is_asked(row: dict[str, Any], figure: str) -> bool:
    """Inferences per second are the inverse of latency unless the scenario makes them another figure."""
    return row[figure] is not None and row["scenario"] != "single-stream"


def _opinions(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What the user's own programs said, beside ours."""
    for row in rows:
        for said in row["opinions"]:
            told = (
                f"Second opinion on {row['variant']} ({row['device']}, threads {row['threads']}), {said['program']}: "
            )
            if said["latency_mean_ns"] is None:
                yield f"{told}none: {said['reason']}"
                continue
            ours = "none" if row["latency_ms"] is None else f"{row['latency_ms']} ms (median)"
            yield f"{told}{said['latency_mean_ns'] / 1e6:.4g} ms (mean of {said['launches']} launches); ours: {ours}"
            yield from (f"  {problem}" for problem in said["problems"])


def _findings(tables: CampaignTables) -> Iterator[str]:
    """What does not look right, each with what to do about it, by the rules of the report."""
    from pocketbench.reports.findings import findings
    from pocketbench.reports.joined import read_campaign
    from pocketbench.reports.names import Name, plain

    campaign = read_campaign(tables)
    for device in campaign.devices:
        where = f" on {Name(device).short}" if campaign.several_devices else ""
        for finding in findings(campaign, device, tables):
            yield f"Finding{where}: {plain(finding)}"


@app.command()
def export(
    campaign: Campaign,
    table: Annotated[str, typer.Option(help="One of the tables of docs/tables.md.")] = "samples",
    output: Annotated[Path | None, typer.Option(help="A .csv, .json or .parquet file; default: CSV on stdout.")] = None,
) -> None:
    """Export one table of a campaign, raw samples included.

    Example: pocketbench results export last --table samples --output samples.parquet
    """
    from pocketbench.harness.campaign.tables import campaign_tables
    from pocketbench.harness.home import home_directory
    from pocketbench.harness.store.store import Store
    from pocketbench.reports.tables import CampaignTables

    names = [field.name for field in fields(CampaignTables)]
    if table not in names:
        raise InputError(f"unknown table {table!r}; {nearest(table, names)}.")
    if output and output.suffix not in {".csv", ".json", ".parquet"}:
        raise InputError(f"expected a file ending in .csv, .json or .parquet, got {str(output)!r}.")
    with Store(home_directory()) as store:
        tables = campaign_tables(store, store.resolve(campaign), samples=table in _READ_FROM_FILES)
    frame = getattr(tables, table)
    if output is None:
        print_line(frame.to_csv(index=False).rstrip("\n"))
    else:
        _write(frame, output)


def _write(frame: pd.DataFrame, output: Path) -> None:
    """Write `frame` by the ending of `output`, complete or not at all."""
    try:
        with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".export-") as folder:
            new = Path(folder) / output.name
            if output.suffix == ".csv":
                frame.to_csv(new, index=False)
            elif output.suffix == ".parquet":
                frame.to_parquet(new, index=False)
            else:
                records = json_module.loads(frame.to_json(orient="records"))
                new.write_text(json_module.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            new.replace(output)
    except OSError as error:
        raise InputError(
            f"expected a file that can be written, got {str(output)!r}: {error.strerror}; choose another with --output."
        ) from error
