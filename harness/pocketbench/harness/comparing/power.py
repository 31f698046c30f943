"""Did a phone run on its battery, or was it plugged in? It lowers its clocks for one and not for the other."""

from __future__ import annotations

from pocketbench.reports.sensors import sensor_facts
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import identifier, text

__all__ = ["power_states", "tells_power"]

# The sensor that says so (sensors/fuel_gauge.py).
_SENSOR = "battery-service"
_QUANTITY = "plugged_flag"


def tells_power(tables: CampaignTables) -> bool:
    """Whether a device was asked, so that `traces` are worth reading."""
    return any(
        fact.is_sensed and fact.name == _SENSOR
        for cell in tables.devices["sensors"]
        for fact in sensor_facts(text(cell))
    )


def power_states(tables: CampaignTables) -> dict[str, str]:
    """By device: plugged in, on battery, or both; a device that does not say is left out."""
    ours = tables.traces[tables.traces["quantity"] == _QUANTITY]
    device_of_job = dict(zip(map(identifier, tables.jobs["job_id"]), map(text, tables.jobs["device"]), strict=True))
    job_of_launch = dict(
        zip(map(identifier, tables.launches["launch_id"]), map(identifier, tables.launches["job_id"]), strict=True)
    )
    plugged: dict[str, set[bool]] = {}
    for launch_id, values in ours.groupby("launch_id", observed=True)["value"]:
        device = device_of_job.get(job_of_launch.get(identifier(launch_id)))
        if device is not None:
            plugged.setdefault(device, set()).update(values.dropna() > 0)
    words = {frozenset({True}): "plugged in", frozenset({False}): "on battery", frozenset({True, False}): "both"}
    return {device: words[frozenset(map(bool, states))] for device, states in plugged.items() if states}
