"""The report: one HTML file with everything in it, that loads nothing and runs nothing but what it was written with."""

from __future__ import annotations

import secrets
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.reports.campaign import Campaign
from pocketbench.reports.digits import instant
from pocketbench.reports.embedded import asset, content_security_policy, json_text, plotly_source, plotly_style_ids
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.markup import Html, element, join, name
from pocketbench.reports.names import shorten
from pocketbench.reports.sections.comparisons import comparisons_section
from pocketbench.reports.sections.compression import compression_section
from pocketbench.reports.sections.conditions import conditions_section
from pocketbench.reports.sections.energy import energy_section
from pocketbench.reports.sections.heat import heat_section
from pocketbench.reports.sections.jobs import jobs_section
from pocketbench.reports.sections.latency import latency_section
from pocketbench.reports.sections.launches import launches_section
from pocketbench.reports.sections.memory import memory_section
from pocketbench.reports.sections.operators import operators_section
from pocketbench.reports.sections.opinions import opinions_section
from pocketbench.reports.sections.pareto import pareto_section
from pocketbench.reports.sections.verdict import verdict_section
from pocketbench.reports.tables import CampaignTables, check_tables
from pocketbench.reports.verdict import campaign_verdict

__all__ = ["report_html", "write_report"]

_SECTIONS = {
    "verdict": "Verdict",
    "trade-off": "Trade-off",
    "comparisons": "Comparisons",
    "variants": "All variants",
    "latency": "Latency",
    "launches": "Launches",
    "opinions": "Second opinion",
    "heat": "Temperature",
    "energy": "Energy",
    "operators": "Operators",
    "memory": "Memory",
    "compression": "Compression",
    "conditions": "Conditions",
}


def write_report(tables: CampaignTables, output: Path) -> None:
    """Write the page to `output`, whole or not at all.

    Raises InputError for tables with other columns than documented, and where the file cannot be written.
    """
    check_tables(tables)
    page = report_html(tables).encode("utf-8")
    # In the same folder: a rename within one file system replaces the old report in one step.
    temporary = output.absolute().parent / f".pocketbench-report-{secrets.token_hex(8)}"
    try:
        try:
            temporary.write_bytes(page)
            temporary.replace(output)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"expected a place to write the report to, got {str(output)!r}: {error.strerror or error}; "
            "choose another with --output."
        ) from error


def report_html(tables: CampaignTables) -> str:
    """The whole page as text."""
    campaign = read_campaign(tables)
    figures: list[Figure] = []
    parts = [
        verdict_section(campaign, campaign_verdict(campaign, tables)),
        pareto_section(campaign, figures),
        comparisons_section(campaign, tables),
        jobs_section(campaign),
        latency_section(campaign, tables, figures),
        launches_section(campaign, tables),
        opinions_section(campaign, tables),
        heat_section(campaign, tables, figures),
        energy_section(campaign, tables, figures),
        operators_section(campaign, tables, figures),
        memory_section(campaign, tables, figures),
        compression_section(campaign),
        conditions_section(tables),
    ]
    sections = {key: part for key, part in zip(_SECTIONS, parts, strict=True) if part is not None}
    style, script = asset("page.css"), asset("page.js")
    scripts = [plotly_source(), script] if figures else [script]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=content_security_policy(scripts, [style])),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{shorten(campaign.name, 60)}: pocketbench report"),
        element("style", Html(style)),
        *(element("style", id=identifier) for identifier in plotly_style_ids(scripts[0])),
    )
    body = element(
        "body",
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        _header(campaign, tables, list(sections)),
        element("main", *sections.values()),
        element("footer", element("p", "Written by pocketbench. This file loads nothing from anywhere.")),
        Html(f'<script type="application/json" id="figures">{json_text([f.payload() for f in figures])}</script>'),
        *(Html(f"<script>{source}</script>") for source in scripts),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _header(campaign: Campaign, tables: CampaignTables, sections: list[str]) -> Html:
    row = tables.campaign.iloc[0]
    rounds = "" if campaign.rounds_done is None else f"{campaign.rounds_done} round{'s' * (campaign.rounds_done != 1)}"
    regime = campaign.regime and campaign.regime_words
    facts = [part for part in (campaign.status, regime, rounds, f"started {instant(str(row['started_at']))}") if part]
    where: list[str] = []
    for device in campaign.devices[:4]:
        where += [", " if where else "on ", name(device)]
    return element(
        "header",
        element("p", "pocketbench report", class_="kind"),
        element("h1", name(campaign.name)),
        element("p", join([*where, " · " if where else "", " · ".join(facts)]), class_="subtitle"),
        element(
            "nav",
            element("ul", *(element("li", element("a", _SECTIONS[key], href=f"#{key}")) for key in sections)),
            aria_label="Sections",
        ),
    )
