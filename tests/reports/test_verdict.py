"""Each branch of the rule, and each caution, on tables where it must come out so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pocketbench.reports.names import plain
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.verdict import DeviceVerdict, verdict
from tests.reports.synthetic import DIGITS, Spec, empty_tables, make_tables, spec

REFERENCE = Spec("float32-tflite", 2.0, 0.970, 400_000, recipe="float32", role="reference")
FAST = Spec("int8-tflite", 1.0, 0.969, 100_000)


def only(tables: CampaignTables) -> DeviceVerdict:
    (device,) = verdict(tables).devices
    return device


def picked(tables: CampaignTables) -> tuple[str, str]:
    decision = only(tables).decision
    return decision.outcome, decision.pick.variant.name if decision.pick else ""


def watch(tables: CampaignTables) -> str:
    return "\n".join(plain(caution) for caution in only(tables).cautions)


def notes(tables: CampaignTables) -> str:
    return "\n".join(plain(note) for note in verdict(tables).notes)


def test_fastest_that_keeps_the_quality_is_shipped():
    tables = make_tables()

    assert picked(tables) == ("variant", "int8-tflite")
    assert plain(only(tables).headline).startswith("Ship int8-tflite: 0.42")


def test_what_it_wins_and_costs_stands_beside_the_reference():
    measures = {change.measure: change for change in only(make_tables([REFERENCE, FAST])).changes}

    assert measures["File size"].change == "0.250×"
    assert measures["File size"].ours == "100 kB"
    assert measures["top-1"].change == "−0.1 points, not told apart"
    assert measures["Latency"].change.startswith("0.50")
    assert "[" in measures["Latency"].ours
    assert measures["Latency"].ours.endswith("ms")


def test_faster_but_provably_worse_is_not_shipped_and_named():
    tables = make_tables([REFERENCE, replace(FAST, quality=0.95)])

    assert picked(tables) == ("reference", "float32-tflite")
    assert "int8-tflite is faster still" in watch(tables)
    assert "top-1 95.0 % [94.2, 95.8] instead of 97.0 %" in watch(tables)


def test_drop_within_the_interval_is_shipped_and_its_bound_named():
    tables = make_tables([REFERENCE, replace(FAST, quality=0.962)])

    assert picked(tables) == ("variant", "int8-tflite")
    assert "a loss of up to 1.6 points cannot be ruled out" in watch(tables)


def test_equal_latency_ships_the_reference():
    tables = make_tables([REFERENCE, replace(FAST, latency_ms=2.0)])

    assert picked(tables) == ("reference", "float32-tflite")
    assert "nothing is provably faster" in plain(only(tables).headline)


def test_slower_ships_the_reference():
    assert picked(make_tables([REFERENCE, replace(FAST, latency_ms=3.0)])) == ("reference", "float32-tflite")


def test_small_difference_in_noise_is_not_called_one():
    tables = make_tables([REFERENCE, replace(FAST, latency_ms=1.97)], rounds=4, spread=0.05)

    assert picked(tables) == ("reference", "float32-tflite")


def test_two_fast_ones_that_cannot_be_told_apart_are_both_named():
    tables = make_tables([REFERENCE, FAST, replace(FAST, name="int8-other")])

    assert "Its latency cannot be told apart from that of int8" in watch(tables)


def test_two_fast_ones_that_differ_are_not_called_equal():
    tables = make_tables([REFERENCE, FAST, replace(FAST, name="int8-other", latency_ms=1.2)])

    assert "told apart" not in watch(tables)


def test_control_is_never_shipped():
    control = replace(FAST, name="control", role="control", latency_ms=0.5)

    assert picked(make_tables([REFERENCE, FAST, control])) == ("variant", "int8-tflite")


def test_control_as_fast_means_no_gain_from_compression():
    control = replace(FAST, name="trained-longer", role="control", latency_ms=1.0)
    tables = make_tables([REFERENCE, replace(FAST, control="trained-longer"), control])

    assert "the speed does not come from compression" in watch(tables)


def test_control_with_better_quality_means_compression_costs_quality():
    control = replace(REFERENCE, name="trained-longer", role="control", quality=0.985)
    tables = make_tables([REFERENCE, replace(FAST, control="trained-longer"), control])

    assert "Training alone did better: the control trained-longer has top-1 98.5 %" in watch(tables)
    assert "the speed does not come from compression" not in watch(tables)


def test_control_as_good_means_training_brought_the_gain():
    control = replace(REFERENCE, name="trained-longer", role="control", quality=0.979)
    tables = make_tables([REFERENCE, replace(FAST, quality=0.979, control="trained-longer"), control])

    assert "comes from training, not from compression" in watch(tables)


def test_control_that_was_not_measured_is_said():
    assert "could not be measured" in watch(make_tables([REFERENCE, replace(FAST, control="nowhere")]))


def test_without_evaluation_data_quality_was_not_judged():
    tables = make_tables([REFERENCE, FAST], metric=None)

    assert picked(tables) == ("variant", "int8-tflite")
    assert "if its quality holds" in plain(only(tables).headline)
    assert "It is the fastest of those measured" in verdict(tables).text
    assert "no evaluation data was given" in notes(tables)
    assert watch(tables) == ""


def test_reference_without_quality_on_a_device_leaves_it_unjudged():
    tables = make_tables([replace(REFERENCE, quality=None), FAST])

    assert picked(tables) == ("variant", "int8-tflite")
    assert "the reference has none on this device" in watch(tables)


def test_variant_without_quality_is_not_shipped_where_the_reference_has_one():
    tables = make_tables([REFERENCE, replace(FAST, quality=None)])

    assert picked(tables) == ("reference", "float32-tflite")
    assert "of unknown quality: int8-tflite" in watch(tables)


def test_metric_without_interval_asks_the_reader():
    tables = make_tables([REFERENCE, replace(FAST, quality=0.90)], quality_half_width=None)

    assert picked(tables) == ("variant", "int8-tflite")
    assert "if its quality holds" in plain(only(tables).headline)
    assert "is 90.00 % instead of 97.00 % acceptable?" in watch(tables)


@pytest.mark.parametrize(("error", "outcome"), [(0.125, "variant"), (0.22, "reference"), (0.05, "variant")])
def test_lower_is_better(error: float, outcome: str):
    specs = [replace(REFERENCE, quality=0.12), replace(FAST, quality=error)]
    tables = make_tables(specs, metric="mean-absolute-error", higher_is_better=False)

    assert picked(tables)[0] == outcome


def test_one_round_decides_nothing():
    tables = make_tables([REFERENCE, FAST], rounds=1)

    assert picked(tables) == ("undecided", "float32-tflite")
    assert "int8-tflite looks fastest (0.50" in verdict(tables).text
    assert "Fewer than two rounds give no intervals" in notes(tables)
    assert "[" not in plain(only(tables).headline)


def test_one_round_raises_no_hope_for_what_is_worse_or_slower():
    specs = [REFERENCE, replace(FAST, quality=0.9), replace(FAST, name="slow", latency_ms=3.0)]

    assert picked(make_tables(specs, rounds=1)) == ("reference", "float32-tflite")


def test_few_rounds_are_said():
    assert "Only 3 rounds could be compared" in watch(make_tables([REFERENCE, FAST], rounds=3))
    assert "rounds could be compared" not in watch(make_tables([REFERENCE, FAST], rounds=8))


def test_without_reference_nothing_is_called_faster():
    tables = make_tables([REFERENCE, FAST], reference=False)

    assert picked(tables) == ("no reference", "int8-tflite")
    assert "there is no reference to compare it with" in plain(only(tables).headline)


def test_failed_reference_is_no_reference():
    tables = make_tables([replace(REFERENCE, job_failed="the process was killed: signal 9"), FAST])

    assert picked(tables) == ("no reference", "int8-tflite")
    assert "The reference float32-tflite could not be measured" in verdict(tables).text


def test_reference_alone():
    assert "nothing else could be compared" in plain(only(make_tables([REFERENCE])).headline)


def test_all_failed_ships_nothing():
    specs = [replace(one, job_failed="no engine for linux-riscv64") for one in (REFERENCE, FAST)]
    tables = make_tables(specs)

    assert picked(tables) == ("nothing", "")
    assert "Nothing can be shipped" in verdict(tables).text
    assert "2 jobs could not be measured" in notes(tables)


def test_nothing_measured_at_all():
    assert "Nothing was measured on any device." in verdict(empty_tables()).text


def test_failed_variant_is_counted_by_name():
    assert "1 variant could not be made (reasons under the table of all variants): int16x8-onnx." in notes(
        make_tables()
    )


def test_interrupted_campaign_is_said():
    tables = make_tables([REFERENCE, FAST], status="interrupted", rounds=6, rounds_planned=10)

    assert "interrupted after 6 of 10 rounds" in notes(tables)
    assert picked(tables) == ("variant", "int8-tflite")


def test_a_reason_is_told_far_enough_to_be_understood():
    said = "adb+tcp://192.168.100.200:5555 engine_load: expected a library that this device can load, got none"
    tables = make_tables([REFERENCE, replace(FAST, job_status="failed", job_failed=f"not deployed: {said}")])

    assert said in notes(tables)


def test_launches_that_were_lost_with_the_device_are_said():
    tables = make_tables([REFERENCE, FAST])
    launch = tables.launches.iloc[[0]]
    lost = launch.assign(launch_id="lost", status="lost", latency_median_ns=float("nan"), reason="the cable was pulled")
    again = tables.launches.assign(attempt=(tables.launches["launch_id"] == launch["launch_id"].iloc[0]).astype(int))

    with_lost = replace(tables, launches=pd.concat([lost, again], ignore_index=True))

    assert "1 launch was lost with the connection to the device: each was made again" in notes(with_lost)
    assert picked(with_lost) == picked(tables)
    assert "lost" not in notes(tables)


def test_gate_warnings_and_failed_launches_of_the_pick_are_said():
    fast = replace(FAST, warnings="least SQNR is 12 dB", job_status="partial", job_reason="round 3: timed out")
    tables = make_tables([REFERENCE, fast])

    assert "The gate noticed: least SQNR is 12 dB" in watch(tables)
    assert "Something of int8-tflite is missing: round 3: timed out" in watch(tables)


def test_marks_of_launches_are_said_in_words():
    tables = make_tables([REFERENCE, replace(FAST, flags="max_time")])

    assert "Launches of int8-tflite are marked: 10 of 10 max_time (the measurement reached its time limit" in watch(
        tables
    )


def test_each_device_has_its_own_verdict():
    text = verdict(make_tables([REFERENCE, FAST], devices=("local", "pi5"))).text

    assert "Ship int8-tflite on local" in text
    assert "Ship int8-tflite on pi5" in text


def test_fastest_number_of_threads_is_picked_and_the_others_named():
    tables = make_tables([REFERENCE, FAST], threads=(1, 4))

    assert "Ship int8-tflite with 4 threads" in verdict(tables).text
    assert "If it must be 1 thread, int8-tflite: 0.5" in verdict(tables).text


def test_reference_that_is_faster_with_other_threads_is_shipped():
    one, four = make_tables([REFERENCE, FAST], threads=(1,)), make_tables([REFERENCE], threads=(4,), thread_gain=0.4)
    tables = joined(one, four)

    assert picked(tables) == ("reference", "float32-tflite")
    assert "with 4 threads" in plain(only(tables).headline)
    assert "If it must be 1 thread, int8-tflite" in verdict(tables).text


def test_reference_with_other_threads_that_cannot_be_told_apart_is_named():
    one, four = make_tables([REFERENCE, FAST], threads=(1,)), make_tables([REFERENCE], threads=(2,), thread_gain=0.503)
    tables = joined(one, four)

    assert picked(tables) == ("variant", "int8-tflite")
    assert "cannot be told apart from the reference float32-tflite with 2 threads" in watch(tables)


def test_cores_are_named_with_the_threads():
    tables = joined(make_tables([REFERENCE, FAST], cores="0,1"), make_tables([REFERENCE, FAST], threads=(2,)))

    assert "1 thread on cores 0,1" in verdict(tables).text


def test_files_of_the_user_need_no_recipe():
    specs = [replace(REFERENCE, recipe=None), replace(FAST, recipe=None, name="mobilenet.tflite")]

    assert picked(make_tables(specs, metric=None)) == ("variant", "mobilenet.tflite")


def test_names_cannot_steer_a_terminal():
    text = verdict(make_tables([REFERENCE, replace(FAST, name="\x1b[31mred\u202e\nnext" + "x" * 9999)])).text

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "next" in text
    assert max(map(len, text.splitlines())) < 400


def test_whole_numbered_keys_with_gaps_still_join():
    tables = make_tables([REFERENCE, FAST])
    numbers = {job_id: position for position, job_id in enumerate(tables.jobs["job_id"])}

    def renumbered(frame: pd.DataFrame, column: str) -> pd.DataFrame:
        return frame.assign(**{column: frame[column].map(numbers)})

    jobs = renumbered(renumbered(tables.jobs, "job_id"), "reference_job_id")
    jobs = pd.concat([jobs, jobs.tail(1).assign(job_id=99, reference_job_id=float("nan"), status="failed")])
    changed: dict[str, Any] = {
        name: renumbered(getattr(tables, name), "job_id") for name in ("launches", "memory", "quality", "estimates")
    }

    assert jobs["reference_job_id"].dtype == "float64"
    assert picked(replace(tables, jobs=jobs, **changed)) == ("variant", "int8-tflite")


def test_spec_changes_one_variant_only():
    assert [one.name for one in spec(DIGITS, "int8-onnx", latency_ms=1.0) if one.latency_ms == 1.0] == ["int8-onnx"]


def joined(one: CampaignTables, other: CampaignTables) -> CampaignTables:
    """Jobs, launches and figures of both in one campaign of `one`."""
    both = {
        name: pd.concat([getattr(one, name), getattr(other, name)], ignore_index=True)
        for name in ("jobs", "launches", "samples", "memory", "quality", "estimates")
    }
    return replace(one, **both)


def test_few_rounds_are_said_of_the_reference_too():
    slow = replace(FAST, latency_ms=4.0)
    tables = make_tables([REFERENCE, slow], rounds=2)

    assert picked(tables) == ("reference", "float32-tflite")
    assert "Only 2 rounds could be compared" in watch(tables)
    assert "rounds could be compared" not in watch(make_tables([REFERENCE, slow], rounds=8))
    assert "rounds could be compared" not in watch(make_tables([REFERENCE], rounds=2))


def test_why_nothing_could_be_measured_is_said_at_once():
    tables = make_tables([replace(REFERENCE, job_failed="expected CPU core 7 of this device, got none")])

    assert "Could not be measured: expected CPU core 7 of this device, got none" in notes(tables)
    assert "Fewer than two rounds" not in notes(tables)
