"""The functions that an engine has to have are those that the runner looks up when it loads one.

What it looks up later, for a profile or an accelerator, not every build has: the runner says so then.
"""

from __future__ import annotations

import re
from pathlib import Path

from pocketbench.harness.engines.interface import REQUIRED
from pocketbench.harness.runner import build

SOURCES = Path(build.__file__).parent / "src"


def loading(engine: str) -> str:
    """The body of the C function that loads `engine`."""
    _, _, rest = (SOURCES / f"{engine}.c").read_text().partition("static const char *load(const char *path) {\n")
    body, end, _ = rest.partition("\n}\n")
    assert end
    return body


def test_litert():
    _, _, rest = (SOURCES / "litert_api.h").read_text().partition("#define LITERT_FUNCTIONS(F)")
    table = rest.partition("\n\n")[0]

    assert "LITERT_FUNCTIONS(F)" in loading("litert")
    assert set(REQUIRED["litert"]) == set(re.findall(r"\bF\(\w+, (LiteRt\w+),", table))
    assert len(REQUIRED["litert"]) == len(set(REQUIRED["litert"])) > 20


def test_onnxruntime():
    looked_up = re.findall(r'library_function\([^"]*"(\w+)"\)', loading("onnxruntime"))

    assert looked_up == list(REQUIRED["onnxruntime"])
