"""Which program a file is, and what every program is asked with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.opinion.opinion import Asked
from pocketbench.harness.opinion.tools import TOOLS, tool_arguments, tool_of

ASKED = Asked(PurePosixPath("/d/model.tflite"))


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("benchmark_model", "benchmark_model"),
        ("android_aarch64_benchmark_model_plus_flex", "benchmark_model"),
        ("benchmark_litert_model", "benchmark_model"),
        ("benchmark_litert_model.py", "benchmark_litert_model.py"),
        ("onnxruntime_perf_test", "onnxruntime_perf_test"),
        ("onnxruntime_perf_test-1.20", "onnxruntime_perf_test"),
    ],
)
def test_a_program_is_known_by_its_name(name, tool):
    assert tool_of(Path("/somewhere") / name) == tool


def test_other_names_are_refused():
    with pytest.raises(InputError, match="benchmark_model, onnxruntime_perf_test in its file name, got 'trtexec'"):
        tool_of(Path("trtexec"))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_model_of_another_format_is_refused(tool):
    with pytest.raises(InputError, match=f"for {tool}, got 'model.pb'"):
        tool_arguments(tool, replace(ASKED, model=PurePosixPath("/d/model.pb")), PurePosixPath("/w/result"))


@pytest.mark.parametrize(
    "values",
    [
        {"threads": 0},
        {"threads": 2000},
        {"iterations": 0},
        {"warmup_iterations": 0},
        {"cores": ()},
        {"cores": (-1,)},
        {"cores": (4096,)},
        {"time_limit_s": 0.0},
        {"time_limit_s": float("nan")},
        {"model": PurePosixPath("model.tflite")},
    ],
)
def test_what_no_program_can_do_is_refused(values):
    with pytest.raises(InputError):
        replace(ASKED, **values)
