"""What may be said of each variant against its reference: ratio, verdict, why; noise floor and precision with it."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import ratio, whole
from pocketbench.reports.markup import Html, element, long_text, name, sentence
from pocketbench.reports.names import Sentence, shorten
from pocketbench.reports.naming import called
from pocketbench.reports.precision import precision_words, precisions
from pocketbench.reports.sections.section import section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell

__all__ = ["comparisons_section"]

_DIFFERENCE = "Beyond its interval and the noise floor."


def comparisons_section(campaign: Campaign, tables: CampaignTables) -> Html:
    """A table per device."""
    found = precisions(tables)
    content: list[Html] = []
    for device in campaign.devices:
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        jobs = [job for job in campaign.jobs_on(device) if job.usable and not job.is_reference]
        if not jobs:
            content.append(element("p", "Nothing could be compared.", class_="none"))
            continue
        words = [
            *_floors(campaign, device),
            *(precision_words(campaign, device, found[device]) if device in found else ()),
        ]
        content.append(element("ul", *(element("li", sentence(one)) for one in words), class_="facts-list"))
        content.append(_table(campaign, device, jobs))
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    return section("comparisons", "Comparisons", "Latency against the reference, paired by round.", *content)


def _floors(campaign: Campaign, device: str) -> list[Sentence]:
    """The reference against itself, for each setting."""
    floors: list[Sentence] = []
    for reference in (job for job in campaign.jobs_on(device) if job.is_reference):
        copy = campaign.copy_of(reference.job_id)
        which: Sentence = (" (", *called(campaign, reference), ")") if campaign.several_settings(device) else ()
        if copy is None or copy.ratio is None:
            floors.append(
                (
                    "The reference against itself",
                    *which,
                    " is not known, so nothing can be called a difference: measure it (aa_copy: true in the plan).",
                )
            )
            continue
        floors.append(
            (
                "The reference against itself",
                *which,
                f": {ratio(copy.ratio)}, the noise floor. What differs by no more is not called a difference.",
            )
        )
    return floors


def _table(campaign: Campaign, device: str, jobs: list[Job]) -> Html:
    columns = [
        Column("Job"),
        Column("Ratio", True, "latency against the reference with the same threads and cores"),
        Column("Verdict"),
        Column("Why"),
        Column("Rounds", True, "rounds in which both were measured"),
    ]
    rows = [
        [
            text_cell(sentence(called(campaign, job)), job.variant.name),
            figure_cell(
                ratio(job.ratio) if job.ratio else None, job.ratio.value if job.ratio else None, "not compared"
            ),
            *_verdict_cells(job),
            figure_cell(whole(job.rounds_compared), job.rounds_compared),
        ]
        for job in jobs
    ]
    where = f" on {shorten(device, 48)}" if campaign.several_devices else ""
    caption = f"Latency against the reference{where}, {campaign.regime_words}, with 95 % intervals in brackets"
    return table(caption, columns, rows, sortable=True)


def _verdict_cells(job: Job) -> list[Cell]:
    verdict = shorten(job.verdict or "cannot say", 24)
    why = job.verdict_reason or (_DIFFERENCE if job.is_different else "No verdict is known.")
    kind = (
        f"verdict {verdict.replace(' ', '-')}" if verdict in ("difference", "none found", "cannot say") else "verdict"
    )
    return [
        text_cell(element("span", verdict, class_=kind), verdict),
        text_cell(element("span", long_text(why), class_="wide"), why),
    ]
