"""No bytes make a parser raise anything but our own error, and none but a benchmark program's make it say a number."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pocketbench.harness.opinion.benchmark_model import parse_benchmark_model, read_benchmark_model
from pocketbench.harness.opinion.litert_script import parse_litert_script
from pocketbench.harness.opinion.opinion import Asked, Opinion, OpinionError
from pocketbench.harness.opinion.perf_test import parse_perf_test
from tests.opinion.captures import (
    LITERT_2025,
    LITERT_JSON,
    PERF_TEST_2025,
    PROFILE_2022,
    TFLITE_2018,
    TFLITE_2024,
    TFLITE_AS_ASKED,
    TFLITE_LOGCAT,
)
from tests.opinion.test_perf_test import rows

Parse = Callable[[bytes], Opinion]

TFLITE = Asked(PurePosixPath("/mobilenet_v1_1.0_224.tflite"), threads=4, iterations=50)
SCRIPT = Asked(PurePosixPath("/data/m.tflite"), threads=2, iterations=20, warmup_iterations=3)
ONNX = Asked(PurePosixPath("/d/model.onnx"), threads=1, iterations=5)


def read(output: bytes) -> Opinion:
    return read_benchmark_model(output)[0]


PARSERS: dict[str, tuple[Parse, bytes]] = {
    "2018": (read, TFLITE_2018.encode()),
    "2024": (read, TFLITE_2024.encode()),
    "profile": (read, (TFLITE_2024 + PROFILE_2022).encode()),
    "logcat": (read, TFLITE_LOGCAT.encode()),
    "litert": (read, LITERT_2025.encode()),
    "as asked": (lambda output: parse_benchmark_model(output, TFLITE), TFLITE_AS_ASKED.encode()),
    "script": (lambda result: parse_litert_script(result, SCRIPT), LITERT_JSON.encode()),
    "perf_test": (lambda output: parse_perf_test(output, b"", ONNX), PERF_TEST_2025.encode()),
    "rows": (lambda content: parse_perf_test(PERF_TEST_2025.encode(), content, ONNX), rows()),
}
EVERY = pytest.mark.parametrize(("parse", "capture"), PARSERS.values(), ids=PARSERS)


def numbers_of(opinion: Opinion) -> Iterator[int | float]:
    latency = opinion.latency
    yield from (latency.mean_ns, latency.median_ns or 1, latency.min_ns or 0, latency.max_ns or 1)
    yield from (opinion.runs, opinion.warmup_runs, opinion.init_ns or 0, opinion.first_inference_ns or 0)
    yield from (opinion.memory_growth_bytes or 1, opinion.peak_memory_bytes or 1, *opinion.samples_ns)
    yield from (operator.time_ns for operator in opinion.operators)


def check(opinion: Opinion) -> None:
    assert all(math.isfinite(number) and number >= 0 for number in numbers_of(opinion))
    latency = opinion.latency
    assert latency.mean_ns > 0
    if latency.min_ns is not None and latency.max_ns is not None:
        assert latency.min_ns <= (latency.median_ns or latency.min_ns) <= latency.max_ns
        assert latency.min_ns * (1 - 1e-4) <= latency.mean_ns <= latency.max_ns * (1 + 1e-4)
    texts = [*opinion.problems, *(f"{operator.operator}{operator.name}" for operator in opinion.operators)]
    assert all(text.isprintable() for text in texts)


@EVERY
def test_the_captures_themselves_are_read(parse: Parse, capture: bytes):
    check(parse(capture))


@EVERY
@settings(max_examples=60)
@given(data=st.binary(max_size=600) | st.text(max_size=300).map(lambda text: text.encode(errors="replace")))
@example(data=b"count=1 curr=1\n" * 4)
@example(data=b"\xff\n" * 300)
def test_bytes_of_any_kind_say_nothing(parse: Parse, capture: bytes, data: bytes):
    if parse is PARSERS["rows"][0] and not data.strip():
        return  # no rows: the summary counts
    with pytest.raises(OpinionError) as caught:
        parse(data)

    assert str(caught.value).isprintable()


@EVERY
@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_capture_is_refused_or_still_makes_sense(parse: Parse, capture: bytes, data: st.DataObject):
    start = data.draw(st.integers(0, len(capture)))
    end = data.draw(st.integers(start, min(len(capture), start + 40)))
    inserted = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"-", b"e9", b"\n", b"0", b"nan", b"1e999", b",", b"\0"])
    )

    with contextlib.suppress(OpinionError):
        check(parse(capture[:start] + inserted + capture[end:]))


@EVERY
@settings(max_examples=60)
@given(data=st.data())
def test_a_cut_capture_is_refused_or_says_the_same_latency(parse: Parse, capture: bytes, data: st.DataObject):
    """What is cut off can be a part that is not needed, never a digit of a number that is used."""
    end = data.draw(st.integers(1, len(capture)))

    with contextlib.suppress(OpinionError):
        assert (parse(capture[:end]).latency.mean_ns, parse(capture[:end]).runs) == (
            parse(capture).latency.mean_ns,
            parse(capture).runs,
        )


@EVERY
@settings(max_examples=60)
@given(data=st.data())
def test_another_number_is_refused_or_moves_no_mean_alone(parse: Parse, capture: bytes, data: st.DataObject):
    """Every mean stands there twice, or follows from others: one wrong number cannot change it unseen."""
    numbers = list(re.finditer(rb"\d+(?:\.\d+)?", capture))
    match = numbers[data.draw(st.integers(0, len(numbers) - 1))]
    other = data.draw(st.integers(0, 10**7).map(lambda number: str(number).encode()))

    if parse is PARSERS["script"][0]:
        return  # each number is there once
    with contextlib.suppress(OpinionError):
        mean_ns = parse(capture[: match.start()] + other + capture[match.end() :]).latency.mean_ns
        expected_ns = parse(capture).latency.mean_ns
        assert mean_ns == pytest.approx(expected_ns, rel=1e-4, abs=10_000)  # LiteRT's block has hundredths of ms


@pytest.mark.parametrize("text", ["1 " * 50_000, "[" * 50_000, "\t" * 50_000, "count=" + "1" * 50_000, "a,1" * 50_000])
@EVERY
def test_long_lines_are_refused_soon(parse: Parse, capture: bytes, text: str):
    table = "============================== Run Order ==============================\n"

    with pytest.raises(OpinionError):
        parse((table + text).encode())
