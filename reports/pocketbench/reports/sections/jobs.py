"""The table of all variants and jobs, failed ones too; then the reasons and warnings in full."""

from __future__ import annotations

from pocketbench.reports.campaign import Campaign, Job, Variant
from pocketbench.reports.digits import Unit, byte_size, quality_value, ratio, time_unit, whole
from pocketbench.reports.markup import Html, absent, element, join, long_text, name
from pocketbench.reports.names import shorten
from pocketbench.reports.sections.section import section
from pocketbench.reports.tabulate import Cell, Column, figure_cell, table, text_cell

__all__ = ["jobs_section"]


def jobs_section(campaign: Campaign) -> Html:
    """A table per device: one row per job, and one per variant that has none there."""
    if not campaign.variants and not campaign.jobs:
        return section("variants", "All variants", "", element("p", "The campaign has no variants.", class_="none"))
    unit = time_unit([job.latency.value for job in campaign.jobs if job.latency])
    content: list[Html] = []
    for device in campaign.devices:
        if campaign.several_devices:
            content.append(element("h3", name(device)))
        content.append(_table(campaign, device, unit))
    return section(
        "variants",
        "All variants",
        "Every job that was planned, and every variant that could not be made. Select a heading to sort by it.",
        *(content or [_table(campaign, None, unit)]),
        *_problems(campaign),
    )


def _table(campaign: Campaign, device: str | None, unit: Unit) -> Html:
    jobs = () if device is None else campaign.jobs_on(device)
    where = f" on {shorten(device, 48)}" if device is not None and campaign.several_devices else ""
    measured = {job.variant.variant_id for job in jobs}
    columns = [
        Column("Variant"),
        Column(f"Latency, {unit.name}", True, "geometric mean of the launch medians"),
        Column("Ratio", True, "latency against the reference with the same threads and cores, paired by round"),
        Column(_metric(campaign), True, "of the deployed file on the device"),
        Column("Size", True, "of the file"),
        Column("Gzip", True, "size of the file under gzip -9: what a download costs"),
        Column("Parameters", True),
        Column("Peak memory", True, "peak resident memory of the process"),
        Column("Engine"),
        Column("Threads", True),
        Column("Status"),
    ]
    rows = [_job_row(job, unit) for job in jobs]
    rows += [_variant_row(one) for one in campaign.variants if one.variant_id not in measured]
    caption = f"All variants and jobs{where}, {campaign.regime_words}, with 95 % intervals in brackets"
    return table(caption, columns, rows, sortable=True)


def _metric(campaign: Campaign) -> str:
    return "Quality" if campaign.quality_metric is None else name(campaign.quality_metric, 24)


def _job_row(job: Job, unit: Unit) -> list[Cell]:
    engine = _engine(job)
    if job.accelerator not in (None, "cpu"):
        engine = join((engine, ", ", name(job.accelerator, 16)))
    if job.falls_back:
        engine = join((engine, " ", element("span", "falls back to the CPU", class_="tag bad")))
    latency, quality, own = job.latency, job.quality, job.variant
    threads = None if job.threads is None else whole(job.threads) + (f" (cores {job.cores})" if job.cores else "")
    return [
        _variant_cell(own, is_reference=job.is_reference),
        figure_cell(unit.interval(latency) if latency else None, latency.value if latency else None, "not measured"),
        _ratio_cell(job),
        figure_cell(
            quality_value(quality.metric, quality.interval) if quality else None,
            quality.interval.value if quality else None,
            "not judged",
        ),
        *_file_cells(own),
        figure_cell(None if job.peak_memory_bytes is None else byte_size(job.peak_memory_bytes), job.peak_memory_bytes),
        text_cell(engine, job.engine.label if job.engine else ""),
        Cell(name(threads, 28) if threads else absent(), job.threads),
        _status_cell(job.status if job.variant.ok else "failed", job.reason or own.reason, own.warnings),
    ]


def _engine(job: Job) -> Html:
    if job.engine is None:
        return absent("no engine could be found")
    return join((name(job.engine.name, 24), *([" ", name(job.engine.version, 24)] if job.engine.version else [])))


def _variant_row(own: Variant) -> list[Cell]:
    nothing = Cell(absent("not measured"), None)
    status = _status_cell("not measured" if own.ok else "failed", own.reason, own.warnings)
    files = _file_cells(own) if own.ok else [nothing] * 3
    return [
        _variant_cell(own, is_reference=own.role == "reference"),
        nothing,
        nothing,
        nothing,
        *files,
        nothing,
        nothing,
        nothing,
        status,
    ]


def _variant_cell(own: Variant, *, is_reference: bool) -> Cell:
    tag = "reference" if is_reference else "control" if own.role == "control" else None
    return text_cell(join((name(own.name), *([" ", element("span", tag, class_="tag")] if tag else []))), own.name)


def _ratio_cell(job: Job) -> Cell:
    if job.is_reference:
        return Cell(element("span", "1×", class_="quiet"), 1.0)
    return figure_cell(ratio(job.ratio) if job.ratio else None, job.ratio.value if job.ratio else None, "not compared")


def _file_cells(own: Variant) -> list[Cell]:
    sizes = [figure_cell(None if s is None else byte_size(s), s) for s in (own.size_bytes, own.size_gzip_bytes)]
    return [*sizes, figure_cell(None if own.parameters is None else whole(own.parameters), own.parameters)]


def _status_cell(status: str, reason: str | None, warnings: tuple[str, ...]) -> Cell:
    words = [element("span", status, class_=f"status {status.replace(' ', '-')}")]
    if reason:
        words.append(element("a", "reason", href="#problems", class_="why"))
    if warnings:
        count = f"{len(warnings)} warning{'s' * (len(warnings) != 1)}"
        words.append(element("a", count, href="#problems", class_="why"))
    return text_cell(join(words), status)


def _problems(campaign: Campaign) -> list[Html]:
    """Failures and warnings in full, as a table cell has no room for them."""
    items: list[Html] = []
    for own in campaign.variants:
        if own.reason:
            items.append(_problem(own.name, "failed", own.reason))
        items += [_problem(own.name, "warning", warning) for warning in own.warnings]
    for job in campaign.jobs:
        if job.reason:
            where = join(
                (*([name(job.device), ", "] if campaign.several_devices else []), job.setting, ", ", job.status)
            )
            items.append(_problem(job.variant.name, where, job.reason))
    if not items:
        return []
    return [element("h3", "Failures and warnings", id="problems"), element("ul", *items)]


def _problem(variant: str, kind: str, why: str) -> Html:
    return element("li", element("strong", name(variant)), " (", kind, "): ", long_text(why))
