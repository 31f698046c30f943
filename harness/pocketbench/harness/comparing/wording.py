"""Changes in words: what the command line prints, no absolute latency among it."""

from __future__ import annotations

import math

from pocketbench.harness.comparing.change import LatencyChange, NotCompared, QualityChange, SizeChange
from pocketbench.harness.comparing.comparison import ComparedJob
from pocketbench.reports.campaign import Interval, Job
from pocketbench.reports.digits import MINUS, quality_change, ratio, significant
from pocketbench.reports.names import Name, shorten

__all__ = ["change_text", "job_text"]

_POINTS = " points"


def change_text(change: LatencyChange | SizeChange | QualityChange | NotCompared) -> str | None:
    """The change with its interval; None where there is none."""
    if isinstance(change, LatencyChange):
        return ratio(Interval(change.ratio.value, change.ratio.low, change.ratio.high))
    if isinstance(change, SizeChange):
        return _signed_percent(change.ratio - 1)
    if isinstance(change, QualityChange):
        return _quality_text(change)
    return None


def job_text(compared: ComparedJob) -> str:
    """What a job is called in a line of its own: variant, device, setting, and accelerator where it is not the CPU."""
    job: Job = compared.job
    accelerator = "" if job.accelerator in (None, "cpu") else f" on {shorten(str(job.accelerator), 16)}"
    return f"{Name(job.variant.name).short}, {Name(job.device).short}, {job.setting}{accelerator}"


def _signed_percent(share: float) -> str:
    """E.g. ``+1.3 %``; what did not change at all is ``0 %``."""
    if share == 0:
        return "0 %"
    return f"{'+' if share > 0 else MINUS}{significant(abs(100 * share), 2)} %"


def _quality_text(change: QualityChange) -> str:
    """The gain as the report shows it, e.g. ``−0.3 [−0.9, +0.3] points``. Of equal outputs there is no interval."""
    gain = change.gain

    def shown(value: float) -> str:
        return quality_change(change.after.metric, value, change.after.interval)

    text = shown(gain.value)
    if gain.low is None or gain.high is None or math.isclose(gain.low, gain.high):
        return text
    unit = _POINTS if text.endswith(_POINTS) else ""
    figures = [shown(value).removesuffix(_POINTS) for value in (gain.value, gain.low, gain.high)]
    return f"{figures[0]} [{figures[1]}, {figures[2]}]{unit}"
