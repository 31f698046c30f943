"""The launches of each job: percentiles, drift, what was noticed, and those that do not count with their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pocketbench.reports.campaign import Campaign, FlagCount, Job
from pocketbench.reports.digits import MINUS, Unit, significant, time_unit, whole
from pocketbench.reports.flags import INVALID, MEANINGS
from pocketbench.reports.launch_facts import (
    P90_FLOOR,
    P99_FLOOR,
    InvalidLaunch,
    LaunchFacts,
    invalid_launches,
    launch_facts,
)
from pocketbench.reports.markup import Html, element, join, name, sentence
from pocketbench.reports.names import shorten
from pocketbench.reports.naming import called
from pocketbench.reports.sections.section import details, section
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell

__all__ = ["launches_section"]

# A page is not a data base: of more, the first are shown and the export is named.
_MOST_ROWS = 200
_MOST_JOBS = 12


def launches_section(campaign: Campaign, tables: CampaignTables) -> Html:
    """Tables per device."""
    facts, broken = launch_facts(tables), invalid_launches(tables)
    content: list[Html] = []
    for device in campaign.devices:
        jobs = [job for job in campaign.jobs_on(device) if job.job_id in facts]
        copies = [copy for copy in campaign.copies if copy.device == device and copy.job_id in facts]
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        if not jobs and not copies:
            content.append(element("p", "Nothing was launched.", class_="none"))
            continue
        rows = [(job, sentence(called(campaign, job))) for job in jobs]
        rows += [(copy, join((sentence(called(campaign, copy)), " (A/A copy)"))) for copy in copies]
        content += [
            _statistics(campaign, rows, facts),
            _flags(rows),
            *_invalid(rows, facts, broken),
        ]
    if not content:
        content.append(element("p", "Nothing was measured.", class_="none"))
    lead = "A launch is one process on the device. Figures are medians over the launches that count."
    return section("launches", "Launches", lead, *content)


def _statistics(campaign: Campaign, rows: list[tuple[Job, Html]], facts: Mapping[str, LaunchFacts]) -> Html:
    times = [time for job, _ in rows for time in (facts[job.job_id].p90_ns, facts[job.job_id].p99_ns) if time]
    unit = time_unit(times)
    columns = [
        Column("Job"),
        Column("Launches", True, "that count, of all that were begun"),
        Column("Iterations", True, "steady ones of a launch"),
        Column("Worth", True, "independent iterations that say as much: neighbours are alike"),
        Column(f"p90, {unit.name}", True, f"from {P90_FLOOR} iterations on"),
        Column(f"p99, {unit.name}", True, f"from {P99_FLOOR} iterations on"),
        Column("Per second", True, "inferences of all streams together"),
        Column("Last minute", True, "median latency of the last minute against the first; from two minutes on"),
        Column("Drift", True, "how much slower the end of a launch is than its start"),
        Column("Hottest", True, "highest temperature during a launch"),
        Column("Throttled", False, "signs of throttling, and how many launches show each"),
    ]
    cells = [[text_cell(words, job.variant.name), *_statistics_cells(facts[job.job_id], unit)] for job, words in rows]
    return table(f"Launches of each job, {campaign.regime_words}", columns, cells, sortable=True)


def _statistics_cells(found: LaunchFacts, unit: Unit) -> list[Cell]:
    begun, counted = sum(found.status.values()), found.status["ok"]
    percentiles = ((found.p90_ns, P90_FLOOR), (found.p99_ns, P99_FLOOR))
    throttled = ", ".join(f"{word} {times}×" for word, times in found.throttled.most_common())
    return [
        figure_cell(whole(begun) if begun == counted else f"{counted} of {begun}", counted),
        figure_cell(None if found.iterations is None else whole(found.iterations), found.iterations),
        figure_cell(
            None if found.effective_iterations is None else whole(found.effective_iterations),
            found.effective_iterations,
        ),
        *(
            figure_cell(None if p is None else unit.value(p), p, f"fewer than {floor} iterations in a launch")
            for p, floor in percentiles
        ),
        figure_cell(
            None if found.throughput_per_s is None else significant(found.throughput_per_s), found.throughput_per_s
        ),
        figure_cell(
            None if found.last_minute_ratio is None else f"{found.last_minute_ratio:.2f}×",
            found.last_minute_ratio,
            "the launch was shorter than two minutes",
        ),
        figure_cell(None if found.drift is None else _signed_percent(found.drift), found.drift),
        figure_cell(
            None if found.temperature_max_c is None else f"{found.temperature_max_c:.0f} °C",
            found.temperature_max_c,
            "the device does not say",
        ),
        text_cell(element("span", throttled or "no sign", class_="wide noted" if throttled else "quiet"), throttled),
    ]


def _signed_percent(share: float) -> str:
    percent = f"{abs(100 * share):.1f}"
    sign = "" if percent == "0.0" else MINUS if share < 0 else "+"
    return f"{sign}{percent} %"


def _flags(rows: list[tuple[Job, Html]]) -> Html:
    """Which flags launches have, in words; those that take nothing away too."""
    marked: dict[str, list[tuple[FlagCount, Job, Html]]] = {}
    for job, words in rows:
        for found in job.flags:
            marked.setdefault(found.flag, []).append((found, job, words))
    if not marked:
        return element("p", "No launch that counts is marked with anything.", class_="quiet")
    columns = [Column("Mark"), Column("Meaning"), Column("Launches", True, "that count and have it"), Column("Of")]
    cells = [
        [
            text_cell(name(flag, 24), flag),
            text_cell(element("span", MEANINGS.get(flag, "not known to this version"), class_="wide"), flag),
            figure_cell(whole(total), total),
            text_cell(element("span", _marked_jobs(jobs), class_="wide"), flag),
        ]
        for flag, jobs in sorted(marked.items())[:_MOST_ROWS]
        if (total := sum(found.launches for found, *_ in jobs))
    ]
    return details("What was noticed of launches that count", table("Marks of launches", columns, cells, sortable=True))


def _marked_jobs(jobs: list[tuple[FlagCount, Job, Html]]) -> Html:
    parts: list[Html | str] = []
    for found, job, words in jobs[:_MOST_JOBS]:
        parts += [", " if parts else "", words, f"\u00a0({found.launches}/{job.launches})"]
    return join([*parts, f" and {len(jobs) - _MOST_JOBS} more"] if len(jobs) > _MOST_JOBS else parts)


def _invalid(
    rows: list[tuple[Job, Html]],
    facts: Mapping[str, LaunchFacts],
    broken: tuple[InvalidLaunch, ...],
) -> Iterator[Html]:
    """How many do not count, and each of them with the rules that it broke."""
    by_job = {job.job_id: (job, words) for job, words in rows}
    ours = [one for one in broken if one.job_id in by_job]
    if not ours:
        return
    begun = sum(sum(facts[job_id].status.values()) for job_id in by_job)
    reasons = Counter(reason for one in ours for reason in one.reasons)
    counted = ", ".join(f"{shorten(_in_words(reason), 80)} {times}×" for reason, times in reasons.most_common(8))
    yield element(
        "p",
        f"{whole(len(ours))} of {whole(begun)} launches are invalid: {counted}. They are kept and do not count. Each "
        "was made again at the end of its round, while its job had not been launched twice as often as planned.",
    )
    columns = [Column("Job"), Column("Round", True), Column("Attempt", True), Column("Why it does not count")]
    cells = [
        [
            text_cell(by_job[one.job_id][1], by_job[one.job_id][0].variant.name),
            figure_cell(None if one.round is None else whole(one.round + 1), one.round),
            figure_cell(None if one.attempt is None else whole(one.attempt + 1), one.attempt),
            text_cell(name("; ".join(map(_in_words, one.reasons)) or "no reason is known", 400), " ".join(one.reasons)),
        ]
        for one in ours[:_MOST_ROWS]
    ]
    more = f" (the first {_MOST_ROWS})" if len(ours) > _MOST_ROWS else ""
    yield details("Invalid launches", table(f"Invalid launches{more}", columns, cells, sortable=True))


def _in_words(reason: str) -> str:
    return INVALID.get(reason, reason)
