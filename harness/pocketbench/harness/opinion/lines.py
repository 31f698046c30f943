"""Lines of a benchmark program without what loggers put before them, and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.opinion.opinion import OpinionError

__all__ = ["NUMBER", "UNTOLD_THREADS", "Line", "agree", "clean_lines", "errors_of", "nanoseconds", "same"]

# A profile of a thousand operators is 500 kB; nothing that these programs print on purpose is longer.
_OUTPUT_BYTES = 16_000_000
_MOST_PROBLEMS = 20
# 11 days: no launch takes so long. Also keeps every sum of nanoseconds far inside 63 bits.
_MOST_NS = 10**15
# C++ streams print six significant digits: 33209.4, 2.95034e+06. Never nan, inf, hexadecimal or a sign.
NUMBER = r"(?:\d{1,18}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?)"
_SIX_DIGITS = 2e-5
UNTOLD_THREADS = "it does not say how many threads it used"

# Each may be there or not, in this order:
#   07-14 13:14:52.097 22838 22838 I tflite  : …      logcat -v threadtime
#   07-08 15:33:55.768 I/tflite  ( 5395): …           logcat -v time
#   I0000 00:00:1758455104.504065   62590 file.cc:51] …   absl
#   2020-01-08 11:14:46.9047758 [W:onnxruntime:, graph.cc:2412 …] …   ONNX Runtime
#   INFO: …       tensorflow/lite/tools/logging.h, litert/c/litert_logging.h
#   [./litert/tools/benchmark_litert_model.h:73] …
_PREFIXES = re.compile(
    r"[ \t]{0,80}"
    r"(?:(?:\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {1,8}(?:\d{1,7} {1,8}\d{1,7} )?)?"
    r"(?P<logcat>[VDIWEF])[ /](?:tflite|litert) {0,8}(?:\( {0,8}\d{1,7}\))?: "
    r"|(?P<absl>[IWEF])\d{4} [\d:.]{1,40} {1,8}\d{1,10} [\w./-]{1,200}:\d{1,6}\] "
    r"|\d{4}-\d\d-\d\d [\d:.]{8,20} \[(?P<ort>[VIWEF]):onnxruntime:[^\]]{0,300}\] )?"
    r"(?:(?P<word>VERBOSE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL): )?"
    r"(?:\[[\w./-]{1,200}:\d{1,6}\] )?",
    re.ASCII,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_ERROR_MARKS = {"E", "F", "ERROR", "FATAL"}


@dataclass(frozen=True, slots=True)
class Line:
    """`text` is without prefixes and spaces around it, and raw: clean it before it is shown."""

    is_error: bool
    text: str


def clean_lines(output: bytes) -> list[Line]:
    """The lines of `output`, empty ones left out; OpinionError where there is too much of it."""
    if len(output) > _OUTPUT_BYTES:
        raise OpinionError(
            f"expected at most {_OUTPUT_BYTES} bytes from a benchmark program, got {len(output)}: give it fewer flags."
        )
    text = _COLOUR.sub("", output.decode(errors="replace"))
    return [line for part in text.split("\n") if (line := _without_prefixes(part)).text]


def errors_of(lines: Iterable[Line]) -> tuple[str, ...]:
    """What was logged as an error, each once and fit to be shown."""
    shown = dict.fromkeys(text for line in lines if line.is_error and (text := clean_text(line.text)))
    return tuple(shown)[:_MOST_PROBLEMS]


def nanoseconds(number: str, unit_ns: int) -> int:
    """`number` as NUMBER matched it, counted in `unit_ns`; OpinionError where no launch can take so long."""
    value_ns = round(float(number) * unit_ns)
    if value_ns > _MOST_NS:
        raise OpinionError(f"expected times under {_MOST_NS / 1e9:g} s, got {number}: is the program's output damaged?")
    return value_ns


def agree(what: str, asked: object, told: object) -> None:
    """OpinionError where the program says that it did something else than asked."""
    if told != asked:
        raise OpinionError(
            f"expected the program to run with {what} {asked!s}, got {clean_text(str(told))} from its own output: "
            "leave flags away that change it."
        )


def same(first: float, second: float, resolution: float = 0.0) -> bool:
    """True where both can be the same number, printed with six digits or in steps of `resolution`."""
    return abs(first - second) <= _SIX_DIGITS * max(abs(first), abs(second)) + resolution


def _without_prefixes(line: str) -> Line:
    match = _PREFIXES.match(line)
    assert match is not None  # everything in it is optional
    return Line(bool(_ERROR_MARKS & set(match.groups())), line[match.end() :].strip())
