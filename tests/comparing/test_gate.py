"""Limits on two campaigns: what fails, what holds, and what it takes where it cannot be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import LatencyChange
from pocketbench.harness.comparing.gate import Judged, check_judged, judge_jobs
from pocketbench.harness.comparing.limits import parse_limit
from pocketbench.harness.comparing.listing import limit_rows, worst_outcome
from pocketbench.reports.tables import CampaignTables
from tests.comparing.campaigns import DIGITS, Spec, changed, compared, spec, tables

TWO = [DIGITS[0], DIGITS[3]]  # the reference and int8-tflite


def judged(after: CampaignTables, *limits: str, before: CampaignTables | None = None) -> tuple[Judged, ...]:
    return judge_jobs([parse_limit(text) for text in limits], compared(before or tables(TWO), after))


def slower(factor: float, **options: Any) -> CampaignTables:
    return tables(spec(TWO, "int8-tflite", latency_ms=1.21 * factor), name="b", **options)


def worse(quality: float) -> CampaignTables:
    return changed(tables(spec(TWO, "int8-tflite", quality=quality), name="b"), "variants", sha256="1" * 64)


def one(found: Sequence[Judged]) -> Judged:
    (judgement,) = (judgement for judgement in found if judgement.compared.job.variant.name == "int8-tflite")
    return judgement


@pytest.mark.parametrize(("factor", "expected"), [(1.2, "fails"), (1.0, "holds"), (0.8, "holds")])
def test_latency_fails_where_it_is_surely_beyond(factor: float, expected: str):
    found = judged(slower(factor), "latency > +5%")

    assert one(found).outcome == expected
    assert worst_outcome(found) == expected


def test_the_point_alone_decides_nothing():
    """6 % slower with 3 rounds that scatter by 4 %: the point is beyond the limit of 3 %, the interval is not."""
    noisy: dict[str, Any] = {"rounds": 3, "spread": 0.04, "aa_copy": 1.0001}
    found = judged(slower(1.06, **noisy), "latency > +3%", before=tables(TWO, **noisy))

    assert one(found).outcome == "cannot say"
    assert "the interval holds the limit" in (one(found).reason or "")


def test_the_rounds_that_would_do_are_named():
    options: dict[str, Any] = {"rounds": 5, "spread": 0.02, "aa_copy": 1.0001}
    reason = one(judged(slower(1.08, **options), "latency > +6%", before=tables(TWO, **options))).reason or ""

    match = re.search(r"--rounds (\d+) ", reason)
    assert match is not None
    assert int(match[1]) > 5


def test_a_change_at_the_limit_is_not_made_known_by_any_number_of_rounds():
    noisy: dict[str, Any] = {"rounds": 5, "spread": 0.05, "aa_copy": 1.0001}
    before, after = tables(TWO, **noisy), slower(1.0, **noisy)
    change = compared(before, after).jobs[1].latency
    assert isinstance(change, LatencyChange)
    at = 100 * (change.ratio.value - 1)

    reason = one(judged(after, f"latency > {at:+.4f}%", before=before)).reason

    assert reason == (
        "the interval holds the limit: the change is too near to it for 1,000 rounds to tell: choose another limit"
    )


def test_noise_that_is_larger_than_the_change_is_named_with_a_command():
    found = one(judged(slower(1.1, aa_copy=1.2), "latency > +5%"))

    assert found.outcome == "cannot say"
    assert "the A/A copies of A and B differ by 20 % together" in (found.reason or "")
    assert "`pocketbench device check local`" in (found.reason or "")


@pytest.mark.parametrize(
    ("options", "remedy"),
    [({"aa_copy": None}, "aa_copy: true in the plan"), ({"rounds": 1}, "--rounds 5 or more")],
)
def test_what_is_missing_to_decide_is_named(options: dict[str, Any], remedy: str):
    found = one(judged(slower(2.0, **options), "latency > +5%"))

    assert found.outcome == "cannot say"
    assert remedy in (found.reason or "")


def test_size_needs_no_interval():
    larger = tables(spec(TWO, "int8-tflite", size_bytes=105_000), name="b")

    assert one(judged(larger, "size > +1%")).outcome == "fails"
    assert one(judged(larger, "size > +2%")).outcome == "holds"


@pytest.mark.parametrize(
    ("quality", "limit", "expected"),
    [(0.90, "quality < -0.5%", "fails"), (0.99, "quality < -0.5%", "holds"), (0.967, "quality < -0.5", "cannot say")],
)
def test_quality_fails_where_it_is_surely_beyond(quality: float, limit: str, expected: str):
    assert one(judged(worse(quality), limit)).outcome == expected


def test_the_samples_that_would_do_are_named():
    """−0.1 points of 1797 samples are known to ±0.8: to tell that from −0.5 takes four times as many, rounded up."""
    reason = one(judged(worse(0.970), "quality < -0.5")).reason

    assert reason == (
        "the interval holds the limit: about 7,189 samples of evaluation data instead of 1,797 would do "
        "(data: {evaluation: …} in the plan)"
    )


def test_a_metric_without_an_interval_decides_nothing():
    after = changed(worse(0.5), "quality", low=None, high=None)

    found = one(judged(after, "quality < -0.5%"))

    assert (found.outcome, found.reason) == (
        "cannot say",
        "the metric has no interval: use one that has (top-1, top-5)",
    )


@pytest.mark.parametrize("broken", [{"job_failed": "killed"}, {"failed": "quantize: no"}])
def test_a_variant_that_does_not_run_any_more_fails_every_limit(broken: dict[str, str]):
    after = tables(spec(TWO, "int8-tflite", **broken), name="b")

    found = judged(after, "latency > +500%", "size > +500%", "quality < -90%")

    mine = [judgement for judgement in found if judgement.compared.job.variant.name == "int8-tflite"]
    assert [judgement.outcome for judgement in mine] == ["fails"] * 3
    assert {judgement.reason for judgement in mine} == {f"it failed in B: {next(iter(broken.values()))}"}


def test_a_variant_that_failed_before_already_is_no_news():
    failed: list[Spec] = [*spec(TWO, "int8-tflite", job_failed="killed"), DIGITS[2]]

    found = judged(tables(failed, name="b"), "latency > +5%", before=tables(failed))

    assert worst_outcome(found) == "cannot say"
    assert "fails" not in {judgement.outcome for judgement in found}


def test_a_new_variant_has_nothing_to_be_compared_with():
    found = judged(tables([*TWO, DIGITS[2]], name="b"), "size > +1%")

    assert {judgement.compared.job.variant.name for judgement in found} == {"float32-tflite", "int8-tflite"}


@pytest.mark.parametrize(
    ("after", "limit", "reason"),
    [
        pytest.param(
            changed(tables(TWO, name="b"), "jobs", threads=4),
            "latency > +5%",
            "threads is 1 in A and 4 in B",
            id="refused",
        ),
        pytest.param(
            tables(TWO, name="b", metric=None), "quality < -1%", "quality was not measured in B", id="missing"
        ),
    ],
)
def test_a_limit_that_is_put_on_nothing_does_not_pass(after: CampaignTables, limit: str, reason: str):
    limits = [parse_limit(limit)]

    with pytest.raises(InputError, match=reason):
        check_judged(limits, judged(after, limit))


def test_a_campaign_of_a_reference_alone_has_no_latency_to_compare():
    found = judged(tables(TWO[:1], name="b"), "latency > +5%", before=tables(TWO[:1]))

    with pytest.raises(InputError, match="no job has a latency of its own in A"):
        check_judged([parse_limit("latency > +5%")], found)


def test_a_limit_that_is_put_on_something_may_pass():
    limits = [parse_limit(text) for text in ("latency > +5%", "size > +1%")]

    check_judged(limits, judge_jobs(limits, compared(tables(TWO), tables(TWO, name="b"))))


def test_rows_begin_with_what_fails():
    rows = limit_rows(judged(slower(1.2), "size > +1%", "latency > +5%"))

    assert [row["outcome"] for row in rows] == ["fails", "holds", "holds"]
    assert rows[0]["job"] == "int8-tflite, local, 1 thread"
    assert rows[0]["limit"] == "latency > +5%"
    assert re.fullmatch(r"1\.\d\d× \[1\.\d\d, 1\.\d\d\]", str(rows[0]["change"]))
