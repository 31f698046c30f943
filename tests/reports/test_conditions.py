"""Sensors that were asked and why others were not, and what sensing costs."""

from __future__ import annotations

import json

import pytest

from pocketbench.reports.page import report_html
from pocketbench.reports.preparations import preparations
from pocketbench.reports.sensors import sensor_facts
from tests.reports.outline import section_text
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import DIGITS, make_tables

FEW = DIGITS[:4]


def test_sensors_and_what_they_cost_are_conditions():
    text = section_text(with_sensors(make_tables(FEW)), "conditions")

    assert "Sensors: 3 asked during launches, 1 not" in text
    assert "energy_uj can be read by root only" in text
    assert "1.0021× (0.21 %)" in text
    assert "start line of launches 42.0 °C" in text
    assert "rounds ended by the precision asked for" in text
    assert "Build" in text
    assert "No sensor was asked during launches." in section_text(make_tables(FEW), "conditions")


@pytest.mark.parametrize("cell", ["", "[]", "{}", "nonsense", '{"sensed": 3, "absent": ["x", null]}', "[" * 100_000])
def test_sensors_of_any_form_are_tolerated(cell: str):
    tables = make_tables(FEW)
    tables.devices["sensors"] = cell

    assert sensor_facts(cell) == ()
    assert report_html(tables)


def test_sensors_are_read_as_the_campaign_writes_them():
    cell = json.dumps(
        {
            "sensed": [{"sensor": "ina2xx", "rate_hz": 50.0, "boundary": "board input", "nodes": 2}],
            "absent": [{"sensor": "rapl", "reason": "not there"}],
        }
    )
    sensed, absent = sensor_facts(cell)

    assert (sensed.name, sensed.is_sensed, sensed.rate_hz, sensed.boundary) == ("ina2xx", True, 50.0, "board input")
    assert (absent.name, absent.is_sensed, absent.reason) == ("rapl", False, "not there")


def test_preparation_says_what_was_set_and_what_did_not_go_back():
    text = section_text(with_sensors(make_tables(FEW)), "conditions")

    assert "governor of policy0 set schedutil performance" in text
    assert "no fan is driven by the kernel; use an external one" in text
    assert "governor of policy0 changed meanwhile ondemand" in text
    assert "/sys/x not put back schedutil powersave" in text
    assert "It was not prepared." in section_text(make_tables(FEW), "conditions")


def test_preparation_without_its_end_is_not_put_back():
    (one,) = preparations('[{"settings": [], "restoration": null, "problem": "the cable was pulled"}]')

    assert (one.status, one.reason) == ("not put back", "the cable was pulled")


@pytest.mark.parametrize("cell", ["", "[1]", "3", "nonsense", '{"settings": {"a": 1}, "restoration": {"items": 3}}'])
def test_preparation_of_any_form_is_tolerated(cell: str):
    tables = make_tables(FEW)
    tables.devices["preparation"] = cell

    assert preparations(cell) == ()
    assert "What it was prepared with cannot be read." in section_text(tables, "conditions") or not cell
