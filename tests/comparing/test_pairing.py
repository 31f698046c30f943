"""Which jobs of two campaigns belong together."""

from __future__ import annotations

from typing import Any

from pocketbench.harness.comparing.pairing import pair_jobs
from pocketbench.reports.campaign import Job
from tests.comparing.campaigns import DIGITS, measured, tables


def jobs(**options: Any) -> tuple[Job, ...]:
    return measured(tables(DIGITS[:2], **options)).campaign.jobs


def called(pairs: tuple[tuple[Job | None, Job | None], ...]) -> list[tuple[str | None, str | None]]:
    return [(_name(own), _name(other)) for own, other in pairs]


def _name(job: Job | None) -> str | None:
    return None if job is None else f"{job.variant.name} {job.device} {job.threads}"


def test_the_same_variant_and_setting_belong_together():
    found = pair_jobs(jobs(threads=(1, 2)), jobs(threads=(2, 1)))

    assert called(found) == [
        ("float32-tflite local 1", "float32-tflite local 1"),
        ("float32-onnx local 1", "float32-onnx local 1"),
        ("float32-tflite local 2", "float32-tflite local 2"),
        ("float32-onnx local 2", "float32-onnx local 2"),
    ]


def test_what_is_left_over_belongs_to_the_most_alike():
    found = pair_jobs(jobs(threads=(1, 2)), jobs(threads=(2, 4)))

    assert ("float32-onnx local 2", "float32-onnx local 2") in called(found)
    assert ("float32-onnx local 1", "float32-onnx local 4") in called(found)
    assert len(found) == 4


def test_another_device_is_paired_by_its_setting():
    found = pair_jobs(jobs(devices=("pi",), threads=(1, 2)), jobs(devices=("pi-2",), threads=(2, 1)))

    assert ("float32-onnx pi 2", "float32-onnx pi-2 2") in called(found)


def test_each_job_is_in_one_pair_and_variants_are_never_mixed():
    before, after = jobs(threads=(1, 2)), jobs()[:1]

    found = pair_jobs(before, after)

    assert called(found) == [
        ("float32-tflite local 1", "float32-tflite local 1"),
        ("float32-onnx local 1", None),
        ("float32-tflite local 2", None),
        ("float32-onnx local 2", None),
    ]
    assert called(pair_jobs(after, before))[1:] == [(None, name) for name, _ in called(found)[1:]]


def test_campaigns_without_jobs_have_no_pairs():
    assert pair_jobs((), ()) == ()
    assert called(pair_jobs((), jobs()[:1])) == [(None, "float32-tflite local 1")]
