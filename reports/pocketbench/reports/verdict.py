"""The verdict: which variant to ship on each device and why, in words for the page and for the terminal alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.cautions import cautions
from pocketbench.reports.changes import Change, changes
from pocketbench.reports.decision import Decision, decide
from pocketbench.reports.digits import ratio, time_unit
from pocketbench.reports.findings import findings
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.names import Name, Sentence, plain, reason
from pocketbench.reports.naming import called
from pocketbench.reports.notes import notes
from pocketbench.reports.paired import ByRound, launch_medians
from pocketbench.reports.tables import CampaignTables

__all__ = ["DeviceVerdict", "Verdict", "campaign_verdict", "verdict"]

_UNJUDGED = ("not known", "no interval")


@dataclass(frozen=True, slots=True)
class DeviceVerdict:
    """One device. `changes` is empty where there is nothing to compare the pick with; `findings` are what to mend."""

    decision: Decision
    headline: Sentence
    reasons: tuple[Sentence, ...]
    changes: tuple[Change, ...]
    cautions: tuple[Sentence, ...]
    findings: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All devices, and `notes` on the campaign as a whole."""

    devices: tuple[DeviceVerdict, ...]
    notes: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """For the terminal."""
        blocks = ["\n".join(_lines(device)) for device in self.devices] or ["Nothing was measured on any device."]
        if self.notes:
            blocks.append("\n".join(plain(note) for note in self.notes))
        return "\n\n".join(blocks)


def verdict(tables: CampaignTables) -> Verdict:
    """Draw the verdict from the tables by the rule of `pocketbench.reports.decision`."""
    return campaign_verdict(read_campaign(tables), tables)


def campaign_verdict(campaign: Campaign, tables: CampaignTables) -> Verdict:
    """The same for tables that were joined already."""
    medians = launch_medians(tables)
    return Verdict(
        tuple(
            _device_verdict(campaign, decide(campaign, device, medians), medians, findings(campaign, device, tables))
            for device in campaign.devices
        ),
        notes(campaign),
    )


def _device_verdict(
    campaign: Campaign, decision: Decision, medians: ByRound, found: tuple[Sentence, ...]
) -> DeviceVerdict:
    pick, reference = decision.pick, decision.reference
    return DeviceVerdict(
        decision,
        _headline(campaign, decision),
        tuple(_reasons(campaign, decision)),
        () if pick is None or reference is None or pick is reference else changes(pick, reference),
        cautions(campaign, decision, medians),
        found,
    )


def _headline(campaign: Campaign, decision: Decision) -> Sentence:
    pick = decision.pick
    where: Sentence = (" on ", Name(decision.device)) if campaign.several_devices else ()
    if pick is None:
        return ("Nothing can be shipped", *where, ": no job could be measured.")
    name = called(campaign, pick)
    if decision.outcome == "variant":
        assert pick.ratio is not None  # a faster job has one
        condition = ", if its quality holds" if decision.judgement in _UNJUDGED else ""
        return ("Ship ", *name, *where, f"{condition}: {ratio(pick.ratio)} the latency of the reference.")
    if decision.outcome == "no reference":
        return (*name, " has the lowest latency", *where, ", but there is no reference to compare it with.")
    if decision.outcome == "undecided":
        return ("Undecided", *where, ": keep the reference ", *name, " until more can be said.")
    if decision.alone:
        return ("Ship the reference ", *name, *where, ": nothing else could be compared with it.")
    return ("Ship the reference ", *name, *where, ": nothing is provably faster and as good.")


def _reasons(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    pick, hopeful = decision.pick, decision.hopeful
    if pick is None or pick.latency is None:
        return
    if decision.outcome == "variant" and decision.reference is not None:
        unjudged = decision.judgement in _UNJUDGED
        yield (
            f"It is the fastest of those {'measured' if unjudged else 'whose quality is not provably worse'}, run by ",
            *_engine(pick),
            "; the reference is ",
            *called(campaign, decision.reference),
            f". The ratio is paired over {pick.rounds_compared} rounds.",
        )
    else:
        unit = time_unit([pick.latency.value])
        yield (f"Latency {unit.interval(pick.latency)} {unit.name} with ", *_engine(pick), ".")
    if decision.outcome == "no reference":
        for job in campaign.jobs_on(decision.device):
            if job.is_reference:
                yield ("The reference ", *called(campaign, job), " could not be measured.")
    if hopeful is not None and hopeful.ratio is not None:
        why = reason(hopeful.verdict_reason or "no verdict is known")
        yield (*called(campaign, hopeful), f" looks fastest ({ratio(hopeful.ratio)}), but: ", why)
    for job in decision.per_setting:
        if job is not pick:
            against = ": the reference" if job.is_reference or job.ratio is None else f": {ratio(job.ratio)}"
            yield (f"If it must be {job.setting}, ", Name(job.variant.name), f"{against}, ", *_latency(job), ".")


def _engine(job: Job) -> Sentence:
    return ("an unknown engine",) if job.engine is None else (Name(job.engine.label),)


def _latency(job: Job) -> Sentence:
    if job.latency is None:
        return ("latency not known",)
    unit = time_unit([job.latency.value])
    return (f"{unit.interval(job.latency)} {unit.name}",)


def _lines(device: DeviceVerdict) -> Iterator[str]:
    yield plain(device.headline)
    yield from (f"  {plain(one)}" for one in device.reasons)
    for change in device.changes:
        yield f"  {plain((Name(change.measure),))}: {change.ours} instead of {change.reference} ({change.change})"
    if device.cautions:
        yield "  To watch:"
        yield from (f"  - {plain(caution)}" for caution in device.cautions)
    if device.findings:
        yield "  To mend:"
        yield from (f"  - {plain(finding)}" for finding in device.findings)
