"""Energy of an inference: one value a launch, with its boundary, or the reason why not."""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.reports.energies import energies, idle_powers
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.page import report_html
from tests.reports.outline import section_text
from tests.reports.sensed import with_sensors
from tests.reports.synthetic import DIGITS, make_tables

FEW = DIGITS[:4]


def test_energy_is_of_launches_and_names_its_boundary():
    tables = with_sensors(make_tables(FEW))
    meter, unknown = energies(read_campaign(tables), tables)
    rows = tables.energies[tables.energies["sensor"] == "ina2xx"]
    ours = rows[rows["launch_id"].str.startswith("jlocal-1-3-")]
    energy = meter.jobs["jlocal-1-3"]

    assert (meter.boundary, unknown.boundary) == ("board input", "rails")
    assert energy.gross is not None
    assert energy.gross.value == pytest.approx(np.exp(np.log(ours["gross_mj"].astype(float)).mean()))
    assert energy.net is not None
    assert energy.net.value == pytest.approx(ours["net_mj"].astype(float).mean())
    assert unknown.jobs["jlocal-1-3"].gross is None
    text = section_text(tables, "energy")
    assert "at the boundary “board input”, burst regime" in text
    assert "Not known in 40 launches: two readings are more than 3 periods apart" in text
    assert "few-updates (40×): fewer than 100 readings in a launch" in text
    assert "The reference against itself: 1.0" in text
    assert "Idle by ina2xx : 1.90 W" in text


def test_net_energy_may_be_nothing():
    tables = with_sensors(make_tables(FEW))
    tables.energies["net_mj"] = 0.0
    net = energies(read_campaign(tables), tables)[0].jobs["jlocal-1-0"].net

    assert net is not None
    assert (net.value, net.low, net.high) == (0, 0, 0)
    assert report_html(tables)


def test_idle_power_that_is_not_known_has_its_reason():
    tables = with_sensors(make_tables(FEW))
    tables.idle_launches[["power_mw", "reason"]] = [None, "the meter was taken away"]

    (idle,) = idle_powers(read_campaign(tables), tables)

    assert idle.power is None
    assert "Not known 3×: the meter was taken away" in section_text(tables, "energy")
