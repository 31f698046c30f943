"""Traces over a campaign: placed, broken between launches, thinned without losing a peak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pocketbench.reports.figures.heat import heat_figure
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.traces import MOST_POINTS, MOST_SOURCES, device_traces
from tests.reports.outline import section_text
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import DIGITS, make_tables

FEW = DIGITS[:4]


def test_traces_are_placed_by_the_launch_and_break_between_launches():
    tables = with_sensors(make_tables(FEW, rounds=3), readings=10, invalid=0)
    ids = list(tables.jobs["job_id"])
    found = device_traces(tables, ids)
    line = next(line for line in found.lines if line.source == "cpu-thermal")

    assert found.sources == {"temperature_c": 2, "frequency_khz": 1}
    assert len(found.spans) == len(tables.launches)
    assert np.isnan(line.values).sum() == len(tables.launches) - 1
    assert found.spans[0].start_min == 0
    assert found.spans[-1].start_min == pytest.approx(4 + 50 / 60 + 1, abs=1.1)


def test_device_that_restarts_does_not_turn_time_back():
    tables = with_sensors(make_tables(FEW, rounds=3), readings=10, invalid=0)
    late = tables.launches.loc[tables.launches["round"] == 2, "launch_id"]
    tables.traces.loc[tables.traces["launch_id"].isin(late), "time_ns"] -= 200_000_000_000
    line = device_traces(tables, list(tables.jobs["job_id"])).lines[0]

    assert (np.diff(line.minutes) >= 0).all()


def test_a_million_readings_are_thinned_and_keep_their_extremes():
    tables = with_sensors(make_tables(FEW, rounds=10), readings=6000, invalid=0)
    tables.traces.loc[123_456, "value"] = 99.0
    spiked = tables.traces.loc[123_456]

    found = device_traces(tables, list(tables.jobs["job_id"]))
    lines = [line for line in found.lines if line.source == spiked["source"]]

    assert len(tables.traces) >= 1_000_000
    assert all(line.readings >= 250_000 for line in found.lines)
    assert all(len(line.values) <= MOST_POINTS + len(found.spans) for line in found.lines)
    assert np.nanmax(lines[0].values) == 99.0


def test_only_the_hottest_of_many_zones_are_shown():
    tables = with_sensors(make_tables(FEW, rounds=2), readings=5)
    zones = [tables.traces[tables.traces["source"] == "cpu-thermal"].astype({"source": "object"})] * 30
    many = pd.concat(
        [zone.assign(source=f"zone{number}", value=zone["value"] + number) for number, zone in enumerate(zones)]
    )
    tables = replace(tables, traces=many)
    found = device_traces(tables, list(tables.jobs["job_id"]))

    assert [line.source for line in found.lines] == ["zone29", "zone28", "zone27", "zone26"]
    assert len(found.lines) == MOST_SOURCES
    assert "4 of 30 sources of temperature are shown" in section_text(tables, "heat")


def test_instants_that_are_unknown_leave_the_devices_clock():
    tables = with_sensors(make_tables(FEW, rounds=2), readings=5)
    tables.launches["started_at"] = None
    found = device_traces(tables, list(tables.jobs["job_id"]))

    assert found.spans[1].start_min == pytest.approx(10 / 60)


def test_nothing_that_is_sensed_twice_or_never_stops_the_page():
    tables = with_sensors(make_tables(FEW, rounds=2), readings=5)
    odd = pd.DataFrame(
        {
            "launch_id": ["nowhere", tables.launches["launch_id"].iloc[0], None],
            "sensor": ["x", None, "y"],
            "quantity": ["temperature_c"] * 3,
            "source": [None, "", "z"],
            "time_ns": [1, None, 3],
            "value": [float("inf"), 4.0, None],
        }
    )
    tables = replace(tables, traces=odd)

    assert "Neither temperature nor frequency was sensed" in section_text(tables, "heat")


def test_marks_need_no_row_where_no_launch_is_throttled():
    tables = with_sensors(make_tables(FEW, rounds=2), readings=5)
    tables.launches[["declared_throttling", "frequency_share", "flags"]] = [None, None, ""]
    campaign = read_campaign(tables)
    jobs = {job.job_id: job for job in campaign.jobs}
    figure = heat_figure(campaign, jobs, device_traces(tables, jobs), None, "f")

    assert figure is not None
    assert "yaxis3" not in figure.layout
    assert figure.layout["shapes"] == []
    assert figure.layout["xaxis"]["anchor"] == "y2"
    assert "No sensed launch shows a sign of throttling" in section_text(tables, "heat")
