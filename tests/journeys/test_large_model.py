"""A model of a size that people ship: MobileNetV2 of keras.applications, 224x224, seeded random weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import CommandLine

WRITE_MODEL = """
import sys, keras
keras.utils.set_random_seed(0)
keras.applications.MobileNetV2(weights=None).save(sys.argv[1])
"""


@pytest.mark.slow
def test_mobilenet_v2_on_both_engines_with_one_and_two_threads(tmp_path: Path, pocketbench: CommandLine):
    subprocess.run([sys.executable, "-c", WRITE_MODEL, str(tmp_path / "mobilenet.keras")], check=True)
    made = pocketbench("compress", "mobilenet.keras", "--recipe", "float32", "--recipe", "int8-dynamic")
    assert made.returncode == 0, made.stderr

    variants = sorted(str(path) for path in (tmp_path / "variants").iterdir())
    completed = pocketbench(
        "bench", *variants, "--threads", "1,2", "--quick", "--rounds", "1", "--output", "mobilenet.html"
    )

    assert completed.returncode == 0, completed.stderr
    shown = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert {row["status"] for row in shown} == {"ok"}
    measured = {(row["variant"], row["threads"]): row["latency_ns"] for row in shown}
    assert set(measured) == {
        (f"{recipe}-{kind}", threads)
        for recipe in ("float32", "int8-dynamic")
        for kind in ("tflite", "onnx")
        for threads in (1, 2)
    }
    # 300 million multiply-accumulates: no core does them in a tenth of a millisecond.
    assert min(measured.values()) > 100_000
