"""The programs that are known: which arguments each gets, which result file it writes, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.opinion.benchmark_model import benchmark_model_arguments, parse_benchmark_model
from pocketbench.harness.opinion.litert_script import litert_script_arguments, parse_litert_script
from pocketbench.harness.opinion.opinion import Asked, Opinion, ToolName
from pocketbench.harness.opinion.perf_test import parse_perf_test, perf_test_arguments

__all__ = ["TOOLS", "Tool", "tool_arguments", "tool_of"]


@dataclass(frozen=True, slots=True)
class Tool:
    """`parse` gets both output streams, one after the other, and the result file, empty where there is none.

    `formats` are the endings of the model files that it runs. `interpreter` starts it, where it is no program itself.
    """

    formats: tuple[str, ...]
    arguments: Callable[[Asked, PurePosixPath], tuple[str, ...]]
    parse: Callable[[bytes, bytes, Asked], Opinion]
    interpreter: tuple[str, ...] = ()


TOOLS: dict[ToolName, Tool] = {
    "benchmark_litert_model.py": Tool(
        formats=(".tflite",),
        arguments=litert_script_arguments,
        parse=lambda output, result, asked: parse_litert_script(result, asked),
        interpreter=("python3",),
    ),
    "benchmark_model": Tool(
        formats=(".tflite",),
        arguments=lambda asked, result: benchmark_model_arguments(asked),
        parse=lambda output, result, asked: parse_benchmark_model(output, asked),
    ),
    "onnxruntime_perf_test": Tool(
        formats=(".onnx", ".ort"),
        arguments=perf_test_arguments,
        parse=parse_perf_test,
    ),
}


def tool_of(program: Path) -> ToolName:
    """Which one a file is, by its name (`android_aarch64_benchmark_model`); InputError where it does not tell."""
    name = program.name
    if name.endswith("benchmark_litert_model.py"):
        return "benchmark_litert_model.py"
    if "onnxruntime_perf_test" in name:
        return "onnxruntime_perf_test"
    if "benchmark_model" in name or "benchmark_litert_model" in name:
        return "benchmark_model"
    raise InputError(
        f"expected a benchmark program with one of the names {', '.join(TOOLS)} in its file name, got {name!r}: rename "
        "it if it is one of them."
    )


def tool_arguments(tool: ToolName, asked: Asked, result: PurePosixPath) -> tuple[str, ...]:
    """What `tool` is started with, behind its own path; `result` is where it may write a file.

    InputError where it cannot do what is asked, or runs no such model.
    """
    formats = TOOLS[tool].formats
    if asked.model.suffix not in formats:
        raise InputError(
            f"expected a model with the ending {' or '.join(formats)} for {tool}, got {asked.model.name!r}."
        )
    return TOOLS[tool].arguments(asked, result)
