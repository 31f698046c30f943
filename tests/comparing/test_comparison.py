"""Two campaigns, job by job: what is compared, what is refused with the key and both values, what is marked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import LatencyChange, NotCompared, QualityChange, SizeChange
from pocketbench.harness.comparing.comparison import check_compared, compare_campaigns
from tests.comparing.campaigns import DIGITS, changed, compared, job_of, measured, spec, tables

SLOWER = spec(DIGITS, "int8-tflite", latency_ms=1.21 * 1.1, size_bytes=103_992)


def latency(**options: float | None) -> LatencyChange:
    before = tables(aa_copy=options.get("before", 1.002))
    after = tables(SLOWER, name="b", aa_copy=options.get("after", 1.002))
    change = job_of(compared(before, after)).latency
    assert isinstance(change, LatencyChange)
    return change


def test_a_slower_variant_is_a_difference_of_about_its_size():
    change = latency()

    assert change.ratio.low is not None
    assert change.ratio.high is not None
    assert change.ratio.low <= 1.1 <= change.ratio.high
    assert change.ratio.value == pytest.approx(change.after.value / change.before.value)
    assert change.comparison.verdict == "difference"
    assert change.rounds == (10, 10)


def test_a_device_that_is_slower_altogether_is_no_difference():
    """A warm day: every latency in B is 40 % above A's, which milliseconds would call a regression."""
    warm = [replace(one, latency_ms=1.4 * one.latency_ms) for one in DIGITS]

    change = job_of(compared(tables(), tables(warm, name="b"))).latency

    assert isinstance(change, LatencyChange)
    assert change.ratio.low is not None
    assert change.ratio.high is not None
    assert change.ratio.low <= 1 <= change.ratio.high


def test_noise_of_both_campaigns_adds_up_as_squares_do():
    assert latency(before=1.03, after=1 / 1.04).noise == pytest.approx(math.hypot(math.log(1.03), math.log(1.04)))


def test_a_change_within_the_noise_of_both_is_none_though_each_floor_is_smaller():
    change = latency(before=1.08, after=1.08)

    assert change.ratio.excludes_1
    assert change.comparison.verdict == "none found"
    assert "A/A copies of both campaigns" in (change.comparison.reason or "")


def test_without_a_copy_in_one_of_them_it_cannot_be_said():
    change = latency(before=None)

    assert change.noise is None
    assert change.comparison.verdict == "cannot say"


def test_sizes_are_exact():
    size = job_of(compared(tables(), tables(SLOWER, name="b"))).size

    assert size == SizeChange(102_992, 103_992)


def test_the_reference_has_size_and_quality_but_no_latency_of_its_own():
    job = job_of(compared(tables(), tables(name="b")), "float32-tflite")

    assert job.latency == NotCompared("it is the reference, which the others are compared by")
    assert isinstance(job.size, SizeChange)
    assert isinstance(job.quality, QualityChange)


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        pytest.param("jobs", "threads", 4, "threads is 1 in A and 4 in B", id="threads"),
        pytest.param("jobs", "cores", "0,1", "cores is not pinned in A and 0,1 in B", id="cores"),
        pytest.param("jobs", "accelerator", "gpu", "accelerator is cpu in A and gpu in B", id="accelerator"),
        pytest.param("devices", "model", "Pi 5", "device.model is ThinkPad T14 Gen 3 in A and Pi 5 in B", id="device"),
    ],
)
def test_other_settings_and_devices_refuse_all_of_a_job(table: str, column: str, value: object, reason: str):
    job = job_of(compared(tables(), changed(tables(name="b"), table, **{column: value})))

    assert {job.latency, job.size, job.quality} == {NotCompared(reason)}
    assert not job.is_compared


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("devices", "governor", "performance"),
        ("devices", "kernel", "6.13.0"),
        ("campaign", "pocketbench_version", "0.2.0"),
        ("jobs", "engine_id", "litert-2.2"),
    ],
)
def test_what_may_explain_a_difference_is_marked_and_compared(table: str, column: str, value: str):
    job = job_of(compared(tables(), changed(tables(name="b"), table, **{column: value})))

    assert isinstance(job.latency, LatencyChange)
    assert value in [one.after for one in job.different]
    assert [one for one in job.different if one.refuses] == []


def test_another_file_of_the_reference_refuses_latency_only():
    after = tables(name="b")
    is_reference = after.variants["name"] == "float32-tflite"
    after = changed(after, "variants", sha256=after.variants["sha256"].mask(is_reference, "0" * 64))

    job = job_of(compared(tables(), after))

    assert isinstance(job.latency, NotCompared)
    assert job.latency.reason.startswith("reference.sha256 is ")
    assert job.latency.reason.endswith(f" in A and {'0' * 12}… in B")
    assert isinstance(job.size, SizeChange)
    assert isinstance(job.quality, QualityChange)


def test_another_regime_refuses_latency_only():
    job = job_of(compared(tables(), changed(tables(name="b"), "campaign", regime="sustained")))

    assert job.latency == NotCompared("regime is burst in A and sustained in B")
    assert isinstance(job.size, SizeChange)


def test_an_engine_that_the_reference_ran_on_too_is_noted():
    found = compared(tables(), changed(tables(name="b"), "jobs", engine_id="litert-2.2"))

    assert [note for note in found.notes if "does not show" in note] == [
        "The reference ran on another engine build in B: what changed alike for it and a variant does not show."
    ]
    assert compared(tables(), tables(name="b")).notes == ()


def test_campaigns_that_are_not_finished_or_turned_around_are_noted():
    before = changed(tables(status="interrupted"), "campaign", started_at="2026-07-26T09:30:00Z")

    assert compared(before, tables(name="b")).notes == (
        "A is not finished: what was measured until now is compared.",
        "B was measured before A; changes are from A to B all the same.",
    )


def test_quality_of_the_same_file_on_the_same_engine_is_exact():
    quality = job_of(compared(tables(), tables(name="b"))).quality

    assert isinstance(quality, QualityChange)
    assert (quality.gain.value, quality.gain.low, quality.gain.high) == (0, 0, 0)


def test_quality_of_another_file_has_the_interval_of_b():
    after = changed(tables(spec(DIGITS, "int8-tflite", quality=0.951), name="b"), "variants", sha256="1" * 64)

    quality = job_of(compared(tables(), after)).quality

    assert isinstance(quality, QualityChange)
    gain = (quality.gain.value, quality.gain.low, quality.gain.high)
    assert gain == pytest.approx((-0.020, -0.028, -0.012))
    assert quality.judgement == "worse"


def test_less_of_an_error_is_a_gain():
    options: dict[str, Any] = {"metric": "mean-absolute-error", "higher_is_better": False}
    before = tables(spec(DIGITS, "int8-tflite", quality=0.10), **options)
    after = changed(tables(spec(DIGITS, "int8-tflite", quality=0.07), name="b", **options), "variants", sha256="1" * 64)

    quality = job_of(compared(before, after)).quality

    assert isinstance(quality, QualityChange)
    gain = (quality.gain.value, quality.gain.low, quality.gain.high)
    assert gain == pytest.approx((0.03, 0.022, 0.038))
    assert quality.judgement == "better"


def test_other_evaluation_data_refuses_quality():
    found = compare_campaigns(measured(tables(), "a" * 64), measured(tables(name="b"), "b" * 64))

    assert job_of(found).quality == NotCompared("evaluation is aaaaaaaaaaaa in A and bbbbbbbbbbbb in B")
    assert isinstance(job_of(found).latency, LatencyChange)


def test_a_variant_more_changes_the_hash_of_the_evaluation_and_is_only_marked():
    found = compare_campaigns(measured(tables(), "a" * 64), measured(tables(DIGITS[:5], name="b"), "b" * 64))

    assert isinstance(job_of(found).quality, QualityChange)
    assert "evaluation" in [one.key for one in job_of(found).different]


def test_other_samples_or_metrics_refuse_quality():
    fewer = changed(tables(name="b"), "quality", samples=100)

    assert job_of(compared(tables(), fewer)).quality == NotCompared("quality.samples is 1797 in A and 100 in B")
    other = tables(name="b", metric="top-5")
    assert job_of(compared(tables(), other)).quality == NotCompared("quality.metric is top-1 in A and top-5 in B")


def test_quality_that_was_measured_in_one_of_them_only():
    bare = tables(spec(DIGITS, "int8-tflite", quality=None), name="b")

    assert job_of(compared(tables(), bare)).quality == NotCompared("quality was not measured in B")
    assert job_of(compare_campaigns(measured(bare), measured(tables()))).quality == NotCompared(
        "quality was not measured in A"
    )


def test_jobs_of_one_campaign_only_say_so():
    found = compared(tables(), tables(DIGITS[:3], name="b"))

    assert job_of(found).latency == NotCompared("it is only in A")
    assert job_of(found).broken is None
    assert job_of(compare_campaigns(found.after, found.before)).latency == NotCompared("it is only in B")


def test_a_job_that_broke_says_why():
    crashed = spec(DIGITS, "int8-tflite", job_failed="the runner was ended by SIGSEGV")

    job = job_of(compared(tables(), tables(crashed, name="b")))

    assert job.broken == "it failed in B: the runner was ended by SIGSEGV"
    assert job.latency == NotCompared("no launch of it could be used in B: the runner was ended by SIGSEGV")


def test_a_variant_that_could_not_be_made_any_more_broke():
    failed = spec(DIGITS, "int8-tflite", failed="quantize: no")

    assert job_of(compared(tables(), tables(failed, name="b"))).broken == "it failed in B: quantize: no"


def test_a_job_on_another_device_did_not_break():
    crashed = changed(tables(spec(DIGITS, "int8-tflite", job_failed="no"), name="b"), "devices", model="Pi 5")

    assert job_of(compared(tables(), crashed)).broken is None


def test_a_campaign_cannot_be_compared_with_itself():
    with pytest.raises(InputError, match="expected two campaigns, got '20260725T093000Z-digits-a' twice"):
        compared(tables(), tables())


def test_campaigns_with_nothing_in_common_are_refused_with_the_first_reason():
    found = compared(tables(), changed(tables(name="b"), "devices", cpu="Cortex-A76"))

    with pytest.raises(InputError, match=r"device\.cpu is AMD Ryzen 7 PRO 6850U in A and Cortex-A76 in B"):
        check_compared(found)
    check_compared(compared(tables(), tables(name="b")))
    with pytest.raises(InputError, match="they have no jobs"):
        check_compared(compared(tables([]), tables([], name="b")))
