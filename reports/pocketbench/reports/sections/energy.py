"""Energy of an inference on each device, by sensor, with its boundary; and what the devices take idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import energy_unit, ratio, significant
from pocketbench.reports.energies import Energy, Idle, Meter, energies, idle_powers
from pocketbench.reports.figures.energy import energy_figure
from pocketbench.reports.figures.figure import Figure
from pocketbench.reports.markup import Html, element, join, long_text, name, sentence
from pocketbench.reports.names import shorten
from pocketbench.reports.naming import called
from pocketbench.reports.paired import paired_ratio
from pocketbench.reports.sections.section import plot, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell

__all__ = ["energy_section"]

_MOST_METERS = 4
_MOST_REASONS = 6
_FLAGS = {
    "beyond_calibration": "more or less power than any level of the calibration",
    "few_updates": "fewer than 100 readings in a launch",
    "from_charge_counter": "from the charge counter, which is coarse",
    "idle_differs": "idle power before and after differ by more than 5 %",
    "no_idle_baseline": "no net figure, as what the device takes idle was not measured (energy: true in the plan)",
    "short_window": "less than 30 s, for a gauge that is slow",
}


def energy_section(campaign: Campaign, tables: CampaignTables, figures: list[Figure]) -> Html:
    """Appends its plots to `figures`."""
    meters, idles = energies(campaign, tables), idle_powers(campaign, tables)
    content: list[Html] = []
    for position, device in enumerate(campaign.devices):
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        ours = [meter for meter in meters if meter.device == device]
        if not ours:
            none = "No sensor of power was read on this device; “Conditions” says why."
            content.append(element("p", none, class_="none"))
        for place, meter in enumerate(ours[:_MOST_METERS]):
            content += _meter(campaign, meter, f"energy-{position}-{place}", figures)
        content += [element("p", join(_idle(idle)), class_="idle") for idle in idles if idle.device == device]
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    lead = (
        "Gross is all that was taken during an inference; net leaves out what idling takes for as long, which hides "
        "that a fast model lets the device sleep sooner. Figures of different boundaries do not compare."
        if meters
        else ""
    )
    return section("energy", "Energy", lead, *content)


def _meter(campaign: Campaign, meter: Meter, identifier: str, figures: list[Figure]) -> Iterator[Html]:
    jobs = [job for job in campaign.jobs_on(meter.device) if job.job_id in meter.jobs]
    yield element("h4", name(meter.sensor), ": ", name(meter.boundary, 24))
    figure = energy_figure(campaign, jobs, meter.jobs, meter.boundary, identifier)
    if figure is not None:
        figures.append(figure)
        yield plot(figure, f"Bars: gross, with 95 % intervals. Metered at: {shorten(meter.boundary, 24)}.")
    if figure is not None or any(energy.power_mw is not None for energy in meter.jobs.values()):
        yield _table(campaign, meter, jobs)
    yield from _notes(campaign, meter, jobs)


def _table(campaign: Campaign, meter: Meter, jobs: list[Job]) -> Html:
    known = [energy.gross.value for job in jobs if (energy := meter.jobs[job.job_id]).gross]
    unit = energy_unit(known)
    columns = [
        Column("Job"),
        Column(f"Gross, {unit.name}", True, "energy of an inference"),
        Column("Ratio", True, "of gross energy against the reference's, paired by round"),
        Column(f"Net, {unit.name}", True, "less what the device takes idle"),
        Column("Power, W", True, "mean of the steady part, median over launches"),
        Column("Idle, W", True, "median over launches"),
        Column("Launches", True),
    ]
    rows = []
    for job in jobs:
        energy = meter.jobs[job.job_id]
        why = _why(energy)
        rows.append(
            [
                text_cell(sentence(called(campaign, job)), job.variant.name),
                figure_cell(
                    unit.interval(energy.gross) if energy.gross else None,
                    energy.gross.value if energy.gross else None,
                    why,
                ),
                _ratio_cell(campaign, meter, job),
                figure_cell(
                    unit.interval(energy.net) if energy.net else None, energy.net.value if energy.net else None, why
                ),
                *(
                    figure_cell(None if mw is None else significant(mw / 1e3), mw, why)
                    for mw in (energy.power_mw, energy.idle_mw)
                ),
                figure_cell(str(energy.launches), energy.launches),
            ]
        )
    boundary = shorten(meter.boundary, 24)
    caption = f"Energy of an inference at the boundary “{boundary}”, {campaign.regime_words}, with 95 % intervals"
    return table(caption, columns, rows, sortable=True)


def _ratio_cell(campaign: Campaign, meter: Meter, job: Job) -> Cell:
    if job.is_reference and meter.jobs[job.job_id].gross:
        return Cell(element("span", "1×", class_="quiet"), 1.0)
    reference = next((other for other in campaign.jobs if other.job_id == job.reference_job_id), None)
    against = reference and paired_ratio(meter.by_round, job, reference, confidence=campaign.confidence)
    return figure_cell(ratio(against) if against else None, against.value if against else None, "not compared")


def _why(energy: Energy) -> str:
    return "; ".join(why for why, _ in energy.reasons.most_common(2)) or "not known"


def _notes(campaign: Campaign, meter: Meter, jobs: list[Job]) -> Iterator[Html]:
    """The reference against itself, what was noticed, and why figures are missing."""
    items: list[Html] = []
    for reference in (job for job in jobs if job.is_reference):
        copy = campaign.copy_of(reference.job_id)
        against = copy and paired_ratio(meter.by_round, copy, reference, confidence=campaign.confidence)
        if against:
            items.append(element("li", sentence((f"The reference against itself: {ratio(against)}.",))))
    flags: Counter[str] = sum((meter.jobs[job.job_id].flags for job in jobs), Counter())
    reasons: Counter[str] = sum((meter.jobs[job.job_id].reasons for job in jobs), Counter())
    for flag, times in flags.most_common(_MOST_REASONS):
        items.append(
            element(
                "li", name(flag, 24), f" ({times}×): {_FLAGS.get(flag.replace('-', '_'), 'not known to this version')}."
            )
        )
    for why, times in reasons.most_common(_MOST_REASONS):
        items.append(element("li", f"Not known in {times} launch{'es' * (times != 1)}: ", long_text(why)))
    if items:
        yield element("ul", *items)


def _idle(idle: Idle) -> list[Html | str]:
    words: list[Html | str] = ["Idle by ", name(idle.sensor, 32), ": "]
    if idle.power is not None and idle.lowest_mw is not None and idle.highest_mw is not None:
        low, high = (significant(mw / 1e3) for mw in (idle.lowest_mw, idle.highest_mw))
        words.append(f"{significant(idle.power.value / 1e3)} W, from {low} to {high} over the rounds. ")
    for why, times in idle.reasons.most_common(2):
        words += [f"Not known {times}×: ", long_text(why), " "]
    return words
