"""LiteRT's benchmark_litert_model.py: its JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.opinion.litert_script import litert_script_arguments, parse_litert_script
from pocketbench.harness.opinion.opinion import Asked, OpinionError
from tests.opinion.captures import LITERT_JSON

ASKED = Asked(PurePosixPath("/data/m.tflite"), threads=2, iterations=20, warmup_iterations=3)
RESULT = PurePosixPath("/w/result")


def changed(**values: object) -> bytes:
    """The capture with other values, of its latency too."""
    content = json.loads(LITERT_JSON)
    for name, value in values.items():
        (content["latency"] if name in content["latency"] else content)[name] = value
    return json.dumps(content).encode()


def test_the_result_is_read():
    opinion = parse_litert_script(LITERT_JSON.encode(), ASKED)
    latency = opinion.latency

    assert (latency.mean_ns, latency.median_ns, latency.min_ns, latency.max_ns, latency.std_ns) == (
        300_000,
        170_000,
        150_000,
        1_630_000,
        330_000,
    )
    assert (latency.p5_ns, latency.p95_ns, latency.resolution_ns) == (150_000, 580_000, 10_000)
    assert (opinion.runs, opinion.warmup_runs, opinion.threads) == (20, 3, 2)
    assert (opinion.init_ns, opinion.first_inference_ns, opinion.problems) == (7_570_000, 1_660_000, ())


def test_what_a_later_version_adds_is_left_alone():
    assert parse_litert_script(changed(new_key=[1]), ASKED) == parse_litert_script(LITERT_JSON.encode(), ASKED)


def test_an_accelerator_that_took_a_part_is_told():
    opinion = parse_litert_script(changed(accelerators=["NPU", "CPU"], fully_accelerated=False), ASKED)

    assert opinion.problems == ("NPU did not take the whole model: the rest ran on the CPU",)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"model": "/data/other.tflite"}, "the model /data/m.tflite, got /data/other.tflite"),
        ({"num_threads": 1}, "threads 2, got 1"),
        ({"num_runs": 19}, "iterations 20, got 19"),
        ({"num_warmup_runs": 5}, "warm-up iterations 3, got 5"),
        ({"avg_ms": 0.0, "min_ms": 0.0, "median_ms": 0.0, "p5_ms": 0.0}, "too fast for it"),
        ({"avg_ms": 1.7}, "contradict each other"),
        ({"median_ms": 0.1}, "contradict each other"),
        ({"std_ms": 3.0}, "contradict each other"),
        ({"avg_ms": "0.3"}, "latency.avg_ms"),
        ({"avg_ms": -0.3}, "latency.avg_ms"),
        ({"avg_ms": float("nan")}, "latency.avg_ms"),
        ({"num_runs": True}, "latency.num_runs"),
        ({"accelerators": "CPU"}, "accelerators"),
    ],
)
def test_what_is_not_what_was_asked_or_damaged_is_refused(values, told):
    with pytest.raises(OpinionError, match=told):
        parse_litert_script(changed(**values), ASKED)


@pytest.mark.parametrize("content", [b"", b"{}", LITERT_JSON[:-20].encode(), b"[" * 100_000, b"\xff\xfe", b"null"])
def test_what_is_no_result_is_refused(content):
    with pytest.raises(OpinionError, match=r"expected the JSON of benchmark_litert_model.py"):
        parse_litert_script(content, ASKED)


def test_arguments_name_the_result_file():
    assert litert_script_arguments(replace(ASKED, flags=("--use_gpu",)), RESULT) == (
        "--model=/data/m.tflite",
        "--num_threads=2",
        "--num_runs=20",
        "--warmup_runs=3",
        "--result_json=/w/result",
        "--use_gpu",
    )


@pytest.mark.parametrize("flag", ["--num_threads=1", "--num_t=1", "--model", "--warm", "--result_json=x"])
def test_flags_that_would_change_what_is_asked_are_refused_shortened_too(flag):
    with pytest.raises(InputError, match="other than --model"):
        litert_script_arguments(replace(ASKED, flags=(flag,)), RESULT)
