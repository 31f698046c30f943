"""What a job was measured under is read from the tables of its campaign."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.comparing.conditions import CONDITIONS, Facts
from pocketbench.harness.comparing.power import power_states, tells_power
from pocketbench.reports.tables import CampaignTables
from tests.comparing.campaigns import changed, measured, tables

JOB = "jlocal-1-3"  # int8-tflite
LAUNCHED = "version: 1\nname: digits\n"


def facts(found: CampaignTables) -> Facts:
    return measured(found).facts[JOB]


def test_every_condition_of_the_list_is_read():
    sensed = json.dumps({"sensed": [{"sensor": "thermal-zones"}, {"sensor": "rapl"}], "absent": [{"sensor": "odpm"}]})
    found = changed(tables(), "devices", governor="powersave", sensors=sensed, start_line_c=42.0)

    read = facts(_plugged(found, 1.0))

    assert set(CONDITIONS) <= set(read)
    assert [key for key in CONDITIONS if read[key] is None] == []
    assert read["device.sensors"] == "rapl, thermal-zones"
    assert read["device.power"] == "plugged in"
    assert (read["threads"], read["cores"], read["reference"]) == (1.0, "not pinned", "float32-tflite")
    assert (read["engine_id"], read["regime"], read["quality.samples"]) == ("e1", "burst", 1797.0)


def test_cores_that_a_job_was_pinned_to_are_a_value():
    assert facts(tables(cores="0,1"))["cores"] == "0,1"


def test_a_plan_without_launch_has_the_defaults():
    before = facts(changed(tables(), "campaign", plan=LAUNCHED))
    after = facts(changed(tables(), "campaign", plan=LAUNCHED + "launch: {iterations: 100, min_time_s: null}\n"))

    assert before == after
    assert (before["launch.iterations"], before["launch.min_time_s"]) == (100.0, "default")


def test_what_a_plan_says_of_launches_is_a_condition():
    plan = LAUNCHED + "launch: {warmup_iterations: 3, arrivals: [1, 2]}\nscenario: {streams: 4}\n"
    found = facts(changed(tables(), "campaign", plan=plan))

    assert found["launch.warmup_iterations"] == 3.0
    assert found["launch.arrivals"] == "[1, 2]"
    assert (found["scenario.streams"], found["scenario.paced_fps"]) == (4.0, "default")


def test_keys_of_a_plan_that_are_in_no_table_are_conditions():
    found = facts(changed(tables(), "campaign", plan=LAUNCHED + "prepare: [governor=performance]\nshield: true\n"))

    assert found["plan.prepare"] == '["governor=performance"]'
    assert found["plan.shield"] == "true"
    assert not {key for key in found if key.startswith("plan.")} & {"plan.name", "plan.data", "plan.seed"}


def test_a_whole_plan_says_the_same_as_one_with_defaults_left_out():
    whole = Plan.model_validate({"version": 1, "name": "digits", "model": "model.keras"}).to_yaml()

    assert facts(changed(tables(), "campaign", plan=whole)) == facts(changed(tables(), "campaign", plan=LAUNCHED))


@pytest.mark.parametrize("plan", ["{", "- 1", "launch: 3", None, "!!python/object:os.system {}"])
def test_a_plan_that_is_none_says_nothing(plan: str | None):
    found = facts(changed(tables(), "campaign", plan=plan))

    assert found["threads"] == 1.0


def test_a_job_without_a_reference_or_a_device_has_no_facts_of_them():
    found = changed(changed(tables(), "jobs", reference_job_id=None), "devices", device="another")

    read = facts(found)

    assert "reference" not in read
    assert read["device"] == "local"
    assert "device.cpu" not in read


@pytest.mark.parametrize(
    ("values", "state"),
    [((1.0, 1.0), "plugged in"), ((0.0, 0.0), "on battery"), ((0.0, 1.0), "both"), ((float("nan"),), None)],
)
def test_the_state_of_power_is_what_the_battery_said(values: tuple[float, ...], state: str | None):
    assert power_states(_plugged(tables(), *values)).get("local") == state


def test_only_a_device_that_was_asked_tells_of_power():
    asked = json.dumps({"sensed": [{"sensor": "battery-service"}]})
    refused = json.dumps({"absent": [{"sensor": "battery-service", "reason": "no dumpsys"}]})

    assert tells_power(changed(tables(), "devices", sensors=asked))
    assert not tells_power(changed(tables(), "devices", sensors=refused))
    assert not tells_power(tables())


def _plugged(found: CampaignTables, *values: float) -> CampaignTables:
    """With what the battery service said in the first launch, beside another quantity that is no state."""
    rows = [("plugged_flag", value) for value in values] + [("temperature_c", 0.0)]
    launch_id = found.launches["launch_id"].iloc[0]
    traces = pd.DataFrame(
        [
            {
                "launch_id": launch_id,
                "sensor": "battery-service",
                "quantity": quantity,
                "source": "battery",
                "time_ns": number,
                "value": value,
            }
            for number, (quantity, value) in enumerate(rows)
        ]
    ).astype({"sensor": "category", "quantity": "category", "source": "category"})
    return replace(found, traces=traces)
