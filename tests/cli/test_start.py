"""The command line starts fast, documents itself, and turns errors into sentences and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pocketbench.harness.cli.main import app

HEAVY = (
    "tensorflow",
    "keras",
    "pandas",
    "plotly",
    "numpy",
    "scipy",
    "onnx",
    "onnxruntime",
    "ai_edge_litert",
    "sqlalchemy",
)


def pocketbench(*argv: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pocketbench.harness.cli.main import main; main()", *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POCKETBENCH_HOME": str(home), **environment},
    )


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: object, path: tuple[str, ...]) -> None:
        if isinstance(command, TyperGroup):
            for name, child in command.commands.items():
                walk(child, (*path, name))
        else:
            found.append(path)

    walk(get_command(app), ())
    return found


def test_starting_imports_nothing_heavy():
    code = f"import sys, pocketbench.harness.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    completed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert completed.stdout.strip() == "[]"


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]):
    command: object = get_command(app)
    for name in path:
        assert isinstance(command, TyperGroup)
        command = command.commands[name]

    assert "Example: pocketbench " in (getattr(command, "help", None) or "")


def test_every_listing_prints_json(tmp_path: Path):
    import json

    for argv in (("device", "list"), ("engine", "list"), ("recipe", "list"), ("results", "list"), ("deploy", "status")):
        completed = pocketbench(*argv, "--json", home=tmp_path)

        assert completed.returncode == 0, completed.stderr
        assert isinstance(json.loads(completed.stdout), list), argv


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(("run", "missing.yaml"), "missing.yaml", id="missing plan"),
        pytest.param(("bench", "missing.tflite"), "missing.tflite", id="missing model"),
        pytest.param(("bench", "model.txt"), "model.txt", id="wrong extension"),
        pytest.param(("compress", "missing.keras"), "missing.keras", id="missing Keras model"),
        pytest.param(("recipe", "check", "int-8"), "did you mean", id="unknown recipe"),
        pytest.param(("device", "show", "locl"), "did you mean 'local'", id="unknown device"),
        pytest.param(("results", "show", "nothing"), "nothing", id="unknown campaign"),
        pytest.param(("results", "export", "last", "--table", "smples"), "samples", id="unknown table"),
        pytest.param(("bench", "--threads", "two", "x.onnx"), "whole numbers", id="bad option"),
        pytest.param(("bench", "x.onnx", "--output", "/proc/report.html"), "can be written", id="unwritable report"),
        pytest.param(("bench", "x.onnx", "--output", "no/report.html"), "an existing folder", id="missing folder"),
        pytest.param(("bench", "x.onnx", "--output", "report.pdf"), "ending in .html", id="report's extension"),
        pytest.param(("compress", "random.keras"), "random.keras", id="random bytes"),
        pytest.param(("recipe", "check", "small.yaml"), "small.yaml:3: unknown key 'step'", id="unknown key"),
        pytest.param(("nonsense",), "nonsense", id="unknown command"),
        pytest.param(("bench", "."), "variant.json", id="a folder that is no variant"),
        pytest.param(("bench", "x.onnx", "--metric", "top-1"), "--evaluation", id="metric without data"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(argv: tuple[str, ...], expected: str, tmp_path: Path):
    (tmp_path / "model.txt").write_text("no model")
    (tmp_path / "random.keras").write_bytes(bytes(range(256)))
    (tmp_path / "small.yaml").write_text("version: 1\nname: small\nstep: []\n")
    home = tmp_path / "home"

    completed = subprocess.run(
        [sys.executable, "-c", "from pocketbench.harness.cli.main import main; main()", *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
            "POCKETBENCH_HOME": str(home),
        },
    )

    assert completed.returncode == 2, completed.stderr
    assert expected in completed.stderr
    assert "Traceback" not in completed.stderr
    assert not (tmp_path / "variants").exists()
    assert not (tmp_path / "report.html").exists()
