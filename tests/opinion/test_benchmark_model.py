"""TFLite's and LiteRT's benchmark_model: outputs of eight years, and what it does instead of what was asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.opinion.benchmark_model import (
    benchmark_model_arguments,
    parse_benchmark_model,
    read_benchmark_model,
)
from pocketbench.harness.opinion.opinion import Asked, OpinionError
from tests.opinion.captures import (
    LITERT_2025,
    PROFILE_2022,
    TFLITE_2018,
    TFLITE_2019,
    TFLITE_2020,
    TFLITE_2024,
    TFLITE_AS_ASKED,
    TFLITE_EXPONENTS,
    TFLITE_LOGCAT,
)

ASKED = Asked(PurePosixPath("/mobilenet_v1_1.0_224.tflite"), threads=4, iterations=50)

# runs, mean, median, min, max, std, p5, p95 in us; warm-up runs, first inference and init in us; threads
FIGURES = {
    "2018": (TFLITE_2018, (50, 137722, None, 137079, 143416, 896, None, None), (1, 146161, 4452), 1),
    "2019": (TFLITE_2019, (50, 115062, None, 88216, 129193, 7678, None, None), (6, 91810, 1892), 1),
    "2020": (TFLITE_2020, (50, 33209.4, None, 32641, 34005, 450, None, None), (15, 49060, 855), None),
    "exponents": (TFLITE_EXPONENTS, (50, 2950340, None, 2727568, 3189954, 109798, None, None), (1, 3512391, 17187), 4),
    "2024": (TFLITE_2024, (50, 105784, 105718, 105416, 106528, 260, 105485, 106281), (5, 106436, 87639), None),
    "logcat": (TFLITE_LOGCAT, (25, 257131, 252767, 220934, 326273, 27081, 226088, 303407), (3, 237814, 95112), 4),
    "litert": (LITERT_2025, (1054, 947.132, 942, 910, 1102, 23, 915, 991), (526, 2125, 5760), 4),
}


@pytest.mark.parametrize(("text", "figures", "start", "threads"), FIGURES.values(), ids=FIGURES)
def test_outputs_of_all_years_are_read(text, figures, start, threads):
    opinion, echo = read_benchmark_model(text.encode())
    latency = opinion.latency
    times = (latency.mean_ns, latency.median_ns, latency.min_ns, latency.max_ns, latency.std_ns, latency.p5_ns)

    assert (opinion.runs, *(None if ns is None else ns / 1000 for ns in (*times, latency.p95_ns))) == figures
    assert (opinion.warmup_runs, opinion.first_inference_ns, opinion.init_ns) == (
        start[0],
        start[1] * 1000,
        start[2] * 1000,
    )
    assert opinion.threads == threads
    assert (echo.iterations, echo.warmup_iterations) == (25 if text is TFLITE_LOGCAT else 50, 1)


def test_windows_line_ends_and_streams_in_either_order_change_nothing():
    split = LITERT_2025.splitlines(keepends=True)
    stderr = [line for line in split if "benchmark_litert_model.h" in line]
    stdout = [line for line in split if line not in stderr]

    expected = read_benchmark_model(LITERT_2025.encode())

    assert read_benchmark_model("".join(stderr + stdout).encode()) == expected
    assert read_benchmark_model(LITERT_2025.replace("\n", "\r\n").encode()) == expected


def test_a_run_with_equal_times_has_no_spread():
    text = TFLITE_AS_ASKED.replace(
        "count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798",
        "count=50 curr=2950340(all same) p5=2950340 median=2950340 p95=2950340",
    )

    latency = read_benchmark_model(text.encode())[0].latency

    assert (latency.mean_ns, latency.min_ns, latency.max_ns, latency.std_ns, latency.median_ns) == (
        2_950_340_000,
        2_950_340_000,
        2_950_340_000,
        0,
        2_950_340_000,
    )


def test_memory_is_growth_or_the_mark_itself_and_never_0():
    assert read_benchmark_model(TFLITE_2024.encode())[0].memory_growth_bytes == round(14.8164 * 2**20)
    assert read_benchmark_model(TFLITE_2024.encode())[0].peak_memory_bytes == round(61.5 * 2**20)
    assert read_benchmark_model(TFLITE_2020.encode())[0].memory_growth_bytes == round(12.8672 * 2**20)
    not_counted = TFLITE_2020.replace("overall=12.8672", "overall=0")
    assert read_benchmark_model(not_counted.encode())[0].memory_growth_bytes is None


def test_operators_are_those_of_the_runs_with_the_delegates_own_in_its_place():
    opinion, _ = read_benchmark_model((TFLITE_2024 + PROFILE_2022).encode())

    assert [(op.operator, op.name, op.runs_on, op.time_ns) for op in opinion.operators] == [
        ("QUANTIZE", "tfl.quantize", "interpreter", 203_000),
        ("Convolution (NHWC, QC8) IGEMM", "Delegate/Convolution (NHWC, QC8) IGEMM", "delegate", 407_000),
        ("Convolution (NHWC, QC8) DWConv", "Delegate/Convolution (NHWC, QC8) DWConv", "delegate", 13 * 51_000),
    ]
    assert sum(op.share for op in opinion.operators) == pytest.approx(1)
    assert any("profiled" in problem for problem in opinion.problems)


def test_a_delegate_with_a_table_of_its_own_counts_once():
    table = PROFILE_2022.replace("Delegate/", "")
    internal = """\
Delegate internal:\x20
============================== Run Order ==============================
      [node type]     [first]    [avg ms]      [%]   [cdf%]  [mem KB]   [times called]  [Name]
  Softmax (NC, F32)     1.398       1.407  99.658%  99.658%     0.000                1  Softmax:0
"""

    operators = read_benchmark_model((TFLITE_2024 + table + internal).encode())[0].operators

    assert [op.operator for op in operators if op.runs_on == "delegate"] == ["Softmax (NC, F32)"]
    assert "TfLiteXNNPackDelegate" not in [op.operator for op in operators]


def test_operators_of_2019_have_a_start_and_are_called_0_times():
    operators = read_benchmark_model(TFLITE_2019.encode())[0].operators

    assert [(op.operator, op.time_ns) for op in operators] == [("CONV_2D", 7_237_000), ("DEPTHWISE_CONV_2D", 3_726_000)]


def test_errors_and_partial_delegation_are_told():
    extra = (
        "ERROR: libOpenCL.so could not be \x1b[31mloaded\x07\n"
        "INFO: Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 2 "
        "delegate kernels.\n"
        "VERBOSE: Replacing 20 out of 31 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 3 partitions.\n"
    )

    problems = read_benchmark_model((TFLITE_AS_ASKED + extra).encode())[0].problems

    assert problems == (
        "libOpenCL.so could not be loaded",
        "Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 2 delegate "
        "kernels.",
        "Replacing 20 out of 31 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 3 partitions.",
    )


def test_what_was_asked_is_accepted():
    opinion = parse_benchmark_model(TFLITE_AS_ASKED.encode(), ASKED)

    assert (opinion.runs, opinion.warmup_runs, opinion.threads, opinion.problems) == (50, 1, 4, ())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param(replace(ASKED, threads=2), "threads 2, got 4", id="threads"),
        pytest.param(replace(ASKED, iterations=60), "iterations 60, got 50", id="iterations"),
        pytest.param(replace(ASKED, warmup_iterations=2), "warm-up iterations 2, got 1", id="warm-up"),
        pytest.param(
            replace(ASKED, model=PurePosixPath("/b.tflite")), "the model /b.tflite, got /mobilenet", id="model"
        ),
    ],
)
def test_an_echo_of_something_else_than_asked_is_refused(asked, told):
    with pytest.raises(OpinionError, match=told):
        parse_benchmark_model(TFLITE_AS_ASKED.encode(), asked)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count=50 first", "count=43 first", "expected 50 iterations .*, got 43: it stopped early"),
        (
            "at least 50 iterations and at least 0",
            "at least 50 iterations and at least 1",
            "at least 0 s of iterations",
        ),
        ("count=50 first", "count=51 first", "iterations 50, got 51"),
        ("Loaded model", "WARN: Unconsumed cmdline flags: --min_secs=0\nLoaded", "Unconsumed cmdline flags"),
        ("Loaded model", "ERROR: Failed to apply GPU delegate.\nLoaded", "Failed to apply GPU"),
        ("Loaded model", "GPU acceleration is unsupported on this platform.\nLoaded", "unsupported on this platform"),
        (
            "Loaded model",
            "Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.\nLoaded",
            "will not be executed",
        ),
        ("Num threads: [4]", "Num threads: [1]", "one number of threads .* got \\[1, 4\\]"),
        ("Inference timings in us: Init: 17187", "Inference timings", "it was cut off"),
        ("Inference (avg): 2.95034e+06", "Inference (avg): 2.95134e+06", "got 2.95034e\\+06 and 2.95134e\\+06 us"),
        ("count=1 curr=3512391", "count=1 curr=nan", "got 'count=1 curr=nan'"),
        ("count=1 curr=3512391", "", "phases in disorder"),
        ("count=1 curr=3512391", "count=1 curr=3512391\ncount=1 curr=3512391", "phases in disorder"),
        ("avg=2.95034e+06", "avg=2.95034e+07", "the output is damaged"),
        ("min=2727568", "min=2999999", "the output is damaged"),
        ("std=109798", "std=999999", "the output is damaged"),
        ("std=109798", "std=109798 p5=2 median=1 p95=3", "the output is damaged"),
        ("count=1 curr=3512391", "count=1 curr=3512391(all same)", "the output is damaged"),
        ("first=2990275", "first=-2990275", "the output is damaged"),
        ("first=2990275", "first=0x2990275", "the output is damaged"),
        ("first=2990275", "first=٢٩", "the output is damaged"),
        ("avg=2.95034e+06", "avg=2.95034e+99", "expected times under"),
    ],
)
def test_what_is_not_what_was_asked_or_damaged_is_refused(old, new, told):
    assert old in TFLITE_AS_ASKED

    with pytest.raises(OpinionError, match=told):
        parse_benchmark_model(TFLITE_AS_ASKED.replace(old, new).encode(), ASKED)


def test_a_mean_beyond_the_longest_time_is_refused_though_it_stands_there_twice():
    text = TFLITE_AS_ASKED.replace("2.95034e+06", "2.95034e+07")

    with pytest.raises(OpinionError, match=r"avg=2.95034e.07.* the output is damaged"):
        parse_benchmark_model(text.encode(), ASKED)


def test_xnnpack_is_applied_unasked_and_what_it_leaves_is_no_news():
    assert "Replacing 30 out of 31" in TFLITE_2024
    assert read_benchmark_model(TFLITE_2024.encode())[0].problems == ("it does not say how many threads it used",)


def test_a_dry_run_has_no_figures():
    text = TFLITE_AS_ASKED.replace("count=1 curr=3512391", "count=0 p5=0 median=0 p95=0")

    with pytest.raises(OpinionError, match="got 'count=0 p5=0 median=0 p95=0'"):
        parse_benchmark_model(text.encode(), ASKED)


def test_a_model_under_a_microsecond_has_no_figure():
    text = TFLITE_AS_ASKED.replace(
        "count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798",
        "count=50 curr=0(all same)",
    )

    with pytest.raises(OpinionError, match="a mean of 0: it is too short"):
        parse_benchmark_model(text.encode(), ASKED)


def test_an_early_end_is_told_in_the_programs_own_words():
    text = TFLITE_2024[: TFLITE_2024.index("INFO: count=50")] + "ERROR: Node 3 failed to prepare.\n"

    with pytest.raises(OpinionError, match=r"got 1 of 2 phases\. It said: Node 3 failed to prepare"):
        read_benchmark_model(text.encode())


def test_too_much_output_is_refused_unread():
    with pytest.raises(OpinionError, match="at most 16000000 bytes"):
        read_benchmark_model(b"x" * 16_000_001)


def test_arguments_ask_for_exactly_so_many():
    asked = replace(ASKED, warmup_iterations=3, flags=("--use_xnnpack=false",), time_limit_s=90)

    assert benchmark_model_arguments(asked) == (
        "--graph=/mobilenet_v1_1.0_224.tflite",
        "--num_threads=4",
        "--num_runs=50",
        "--warmup_runs=3",
        "--min_secs=0",
        "--warmup_min_secs=0",
        "--max_secs=90",
        "--use_xnnpack=false",
    )


@pytest.mark.parametrize("flag", ["--num_threads=1", "--min_secs=3", "--use_gpu", "use_gpu=true", "-x=1", ""])
def test_flags_that_would_change_what_is_asked_or_be_ignored_are_refused(flag):
    with pytest.raises(InputError, match="in the form --name=value, other than graph"):
        benchmark_model_arguments(replace(ASKED, flags=(flag,)))
