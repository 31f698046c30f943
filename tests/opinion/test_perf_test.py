"""ONNX Runtime's onnxruntime_perf_test: what it prints, its result rows, and both against each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.opinion.opinion import Asked, OpinionError
from pocketbench.harness.opinion.perf_test import parse_perf_test, perf_test_arguments
from tests.opinion.captures import PERF_TEST_2019, PERF_TEST_2020, PERF_TEST_2023, PERF_TEST_2025

ASKED = Asked(PurePosixPath("/d/model.onnx"), threads=1, iterations=5)
# Five latencies in s with the mean, the least and the greatest of PERF_TEST_2025.
SAMPLES_S = ("0.0995086", "0.0958204", "0.101519", "0.0993", "0.098662")
RESULT = PurePosixPath("/w/result")


def rows(samples=SAMPLES_S, *, submitted: bool = False, summary: str = "") -> bytes:
    extra = "0.000012," if submitted else ""
    lines = [f"d,{extra}{value},271122432,11,{number}\n" for number, value in enumerate(samples)]
    return ("".join(lines) + summary).encode()


def test_the_oldest_output_is_read():
    opinion = parse_perf_test(PERF_TEST_2019.encode(), b"", replace(ASKED, iterations=1000))
    latency = opinion.latency

    assert (latency.mean_ns, latency.median_ns, latency.min_ns, latency.max_ns) == (
        58_805_300,
        58_710_800,
        55_977_700,
        62_347_200,
    )
    assert (latency.p90_ns, latency.p95_ns, latency.std_ns, latency.resolution_ns) == (
        59_984_500,
        60_567_600,
        None,
        100,
    )
    assert (opinion.init_ns, opinion.first_inference_ns, opinion.threads) == (None, None, None)
    assert opinion.problems == ("it does not say how many threads it used",)


def test_a_result_of_2020_has_a_mean_only():
    asked = replace(ASKED, iterations=1)
    text = PERF_TEST_2020.replace("threads to 0", "threads to 1")

    opinion = parse_perf_test(text.encode(), b"", asked)

    assert (opinion.latency.mean_ns, opinion.latency.median_ns) == (734_606_000, None)
    assert (opinion.init_ns, opinion.problems) == (1_841_490_000, ())


def test_the_usual_output_is_read_and_percentiles_of_8_runs_are_none():
    opinion = parse_perf_test(PERF_TEST_2023.encode(), b"", replace(ASKED, iterations=8))
    latency = opinion.latency

    assert (opinion.runs, opinion.warmup_runs, opinion.samples_ns) == (8, 1, ())
    assert (latency.mean_ns, latency.median_ns, latency.p90_ns, latency.p95_ns) == (17_735_000, 16_708_600, None, None)
    assert (opinion.init_ns, opinion.first_inference_ns, opinion.peak_memory_bytes) == (
        27_307_100,
        20_000_000,
        35_299_328,
    )


@pytest.mark.parametrize("submitted", [False, True], ids=["5 fields", "6 fields"])
@pytest.mark.parametrize("summary", ["", "\nMin Latency: 0.0958204 s\nP999 Latency is 0.101519sec\n"])
def test_rows_are_the_true_samples(submitted, summary):
    opinion = parse_perf_test(PERF_TEST_2025.encode(), rows(submitted=submitted, summary=summary), ASKED)
    samples_ns = tuple(round(float(value) * 1e9) for value in SAMPLES_S)

    assert opinion.samples_ns == samples_ns
    assert opinion.latency.median_ns == 99_300_000
    assert opinion.latency.std_ns == round(float(np.std(samples_ns)))
    assert (opinion.latency.min_ns, opinion.latency.max_ns) == (95_820_400, 101_519_000)
    assert (opinion.threads, opinion.latency.p90_ns, opinion.latency.resolution_ns) == (1, None, 100)


def test_64_rows_have_a_90th_percentile():
    samples = [f"0.0{number}" for number in range(101, 165)]
    mean_s = sum(map(float, samples)) / 64
    text = (
        f"Setting intra_op_num_threads to 1\nTotal inference time cost: {mean_s * 64:g} s\n"
        f"Total inference requests: 64\nAverage inference time cost: {mean_s * 1000:g} ms\n"
    )

    opinion = parse_perf_test(text.encode(), rows(samples), replace(ASKED, iterations=64))

    assert opinion.latency.p90_ns == round(np.percentile([float(value) * 1e9 for value in samples], 90))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(rows(SAMPLES_S[:4]), "got 4 rows for 5 runs", id="fewer"),
        pytest.param(rows((*SAMPLES_S, "0.1")), "got 6 rows for 5 runs", id="more"),
        pytest.param(rows(("0.0001",) * 5), "a mean of 100000 ns, where the program printed 98961997 ns", id="others"),
        pytest.param(rows().replace(b"11,3", b"11,7"), "not in the order", id="order"),
        pytest.param(rows().replace(b"32,11,3", b"33,11,3"), "rows of different launches", id="two launches"),
        pytest.param(rows().replace(b"0.0993", b"nan"), "the row 'd,nan,271122432,11,3'", id="nan"),
        pytest.param(rows().replace(b"0.0993", b"-0.0993"), "the row 'd,-0.0993", id="negative"),
        pytest.param(rows()[:-4], "the row 'd,0.098662,271122432,1'", id="cut"),
        pytest.param(rows(summary="\nrm -rf /\n"), "'rm -rf /' behind the rows", id="something behind"),
        pytest.param(b"\xff" * 5000, "got 1 rows for 5 runs", id="garbage"),
    ],
)
def test_rows_that_do_not_fit_are_refused(content, told):
    with pytest.raises(OpinionError, match=told):
        parse_perf_test(PERF_TEST_2025.encode(), content, ASKED)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("threads to 1", "threads to 4", "threads 1, got 4"),
        ("requests: 5", "requests: 4", "iterations 5, got 4"),
        ("cost total: 98.961997", "cost total: 108.961997", "got 5 runs of 108.961997 ms in 0.49481 s"),
        ("cost total: 98.961997 ms", "cost total: 98.96199", "got no mean"),
        ("Total inference requests: 5\n", "", "got no runs"),
        ("Average inference time cost total: 98.961997 ms", "Average inference time cost total: nan ms", "got no mean"),
        ("cost total: 98.961997", "cost total: 0", "got no inference"),
        ("Runs:5", "Total inference requests: 6", "'Total inference requests: 6' and 5"),
        ("size:271122432", "size:271122433", "size:271122433' and 271122432"),
        ("P50 Latency: 0.0995086", "P50 Latency: 0.2", "with a mean of"),
        ("Max Latency: 0.101519 s\nP50", "Max Latency: 0.0978204 s\nP50", "with a mean of"),
        ("P50 Latency: 0.0995086 s", "P50 Latency: 1e18 s", "expected times under"),
    ],
)
def test_what_is_not_what_was_asked_or_damaged_is_refused(old, new, told):
    assert old in PERF_TEST_2025

    with pytest.raises(OpinionError, match=told):
        parse_perf_test(PERF_TEST_2025.replace(old, new).encode(), b"", ASKED)


def test_a_silent_fallback_to_the_cpu_is_told():
    text = (
        "\x1b[0;93m2026-01-08 11:14:46.9047758 [W:onnxruntime:, session_state.cc:1170 VerifyEachNodeIsAssigned] Some "
        "nodes were not assigned to the preferred execution providers which may or may not have an impact.\x1b[m\n"
        "\x1b[1;31m2026-01-08 11:14:46.1 [E:onnxruntime:Default, provider_bridge_ort.cc:1992 Get] Failed to load "
        "library libQnnHtp.so\x1b[m\n"
    )

    opinion = parse_perf_test((text + PERF_TEST_2025).encode(), b"", ASKED)

    assert opinion.problems == (
        "Failed to load library libQnnHtp.so",
        "Some nodes were not assigned to the preferred execution providers which may or may not have an impact.",
    )


def test_arguments_ask_for_random_input_and_rows():
    assert perf_test_arguments(replace(ASKED, threads=4, flags=("-e", "xnnpack")), RESULT) == (
        *("-m", "times", "-r", "5", "-x", "4", "-I", "-S", "1", "-e", "xnnpack"),
        *("/d/model.onnx", "/w/result"),
    )


@pytest.mark.parametrize("flag", ["-x", "-x2", "--x=2", "-r", "-t", "--t=9", "-c", "-c4", "-I", "--m"])
def test_flags_that_would_change_what_is_asked_are_refused(flag):
    with pytest.raises(InputError, match="other than -I, -S, -c"):
        perf_test_arguments(replace(ASKED, flags=(flag,)), RESULT)


@pytest.mark.parametrize("flag", ["-P", "-o=1", "--compile_ep_context", "-Z", "0"])
def test_other_flags_go_through(flag):
    assert flag in perf_test_arguments(replace(ASKED, flags=(flag,)), RESULT)


def test_more_than_its_one_warm_up_cannot_be_asked_for():
    with pytest.raises(InputError, match="makes no other number, got 2"):
        perf_test_arguments(replace(ASKED, warmup_iterations=2), RESULT)
