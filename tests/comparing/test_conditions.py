"""What keeps two jobs from being compared, and what is only marked."""

from __future__ import annotations

import pytest

from pocketbench.harness.comparing.conditions import CONDITIONS, Difference, Facts, different_conditions

SAME: Facts = {
    "threads": 1.0,
    "cores": "not pinned",
    "device": "pi",
    "device.cpu": "Cortex-A76",
    "engine_id": "litert-2.1",
}


def differing(**values: str | float | None) -> tuple[Difference, ...]:
    return different_conditions(SAME, {**SAME, **values})


def test_the_same_conditions_are_not_listed():
    assert differing() == ()


def test_a_condition_is_named_with_both_values():
    assert differing(threads=4.0) == (Difference("threads", "1", "4", "everything"),)
    assert differing(engine_id="litert-2.2") == (Difference("engine_id", "litert-2.1", "litert-2.2", None),)


def test_what_refuses_comes_first():
    found = differing(engine_id="litert-2.2", cores="0,1")

    assert [one.key for one in found] == ["cores", "engine_id"]


@pytest.mark.parametrize("key", CONDITIONS)
def test_every_condition_of_the_list_is_noticed(key: str):
    (found,) = different_conditions({"device.cpu": "x", key: "one"}, {"device.cpu": "x", key: "another"})

    assert (found.key, found.refuses) == (key, CONDITIONS[key].refuses)


def test_what_makes_a_comparison_meaningless_refuses_it():
    assert {key for key, condition in CONDITIONS.items() if condition.refuses == "everything"} == {
        *("threads", "cores", "accelerator"),
        *("device.model", "device.cpu", "device.architecture", "device.cores", "device.memory_bytes"),
    }
    assert {key for key, condition in CONDITIONS.items() if condition.refuses == "latency"} == {
        *("regime", "reference", "reference.sha256", "reference.accelerator"),
    }


def test_not_known_on_one_side_is_marked_and_refuses_nothing():
    assert different_conditions({"device.memory_bytes": None}, {"device.memory_bytes": 8e9}) == (
        Difference("device.memory_bytes", "not known", "8000000000", None),
    )


def test_not_known_on_both_sides_says_nothing():
    assert different_conditions({"device.kernel": None}, {}) == ()


@pytest.mark.parametrize(
    ("key", "before", "after", "differs"),
    [
        pytest.param("device.memory_bytes", 8.0e9, 8.3e9, False, id="another kernel keeps more for itself"),
        pytest.param("device.memory_bytes", 4.0e9, 8.0e9, True, id="another board"),
        pytest.param("device.start_line_c", 42.0, 43.5, False, id="within the sensor's steps"),
        pytest.param("device.start_line_c", 42.0, 47.0, True, id="a warmer room"),
        pytest.param("threads", 1.0, 2.0, True, id="counts are exact"),
    ],
)
def test_numbers_differ_beyond_their_tolerance(key: str, before: float, after: float, differs: bool):
    assert bool(different_conditions({key: before}, {key: after})) is differs


def test_another_name_is_marked_where_the_device_is_known_to_be_of_the_same_kind():
    assert [(one.key, one.refuses) for one in differing(device="pi-2")] == [("device", None)]


def test_another_name_is_another_device_where_nothing_else_is_known_of_it():
    (found,) = different_conditions({"device": "pi"}, {"device": "pi-2"})

    assert found.refuses == "everything"


@pytest.mark.parametrize("key", ["scenario.streams", "launch.arrivals"])
def test_another_kind_of_load_refuses_latency_however_it_is_called(key: str):
    (found,) = different_conditions({key: 1.0}, {key: 4.0})

    assert found == Difference(key, "1", "4", "latency")


def test_a_key_that_nobody_has_sorted_yet_is_marked():
    assert different_conditions({"plan.fan": "on"}, {"plan.fan": "off"}) == (Difference("plan.fan", "on", "off", None),)


def test_what_a_device_says_acts_on_no_terminal():
    (found,) = different_conditions({"device.kernel": "6.1"}, {"device.kernel": "\x1b[2J" + "6" * 500})

    assert found.after.isprintable()
    assert len(found.after) <= 80
