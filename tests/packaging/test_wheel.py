"""The wheel carries what a user needs and works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pocketbench.harness.runner.build import PLATFORMS, PROGRAM, is_current
from tests.runner.elf import needs_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("pocketbench-*.whl"))


def test_wheel_holds_all_rooms_runners_and_data(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())

    expected = {
        "pocketbench/checked/yaml.py",
        "pocketbench/compression/build.py",
        "pocketbench/compression/py.typed",
        "pocketbench/compression/recipe_data/int8.yaml",
        "pocketbench/device_profiles/data/raspberry-pi-5.yaml",
        "pocketbench/harness/cli/main.py",
        "pocketbench/harness/runner/bin/android-arm64/pocketbench-runner",
        "pocketbench/harness/runner/bin/android-x86_64/pocketbench-runner",
        "pocketbench/harness/runner/bin/linux-aarch64/pocketbench-runner",
        "pocketbench/harness/runner/bin/linux-x86_64/pocketbench-runner",
        "pocketbench/harness/runner/src/android/symbols.txt",
        "pocketbench/reports/page.py",
    }
    assert expected - names == set()
    assert "pocketbench/__init__.py" not in names
    assert [name for name in names if name.startswith(("tests/", "benchmarks/"))] == []


def test_runners_of_the_wheel_are_those_of_its_own_sources(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    runner = tmp_path / "pocketbench" / "harness" / "runner"

    for platform in PLATFORMS:
        assert is_current(runner / "src", runner / "bin" / platform / PROGRAM)
        assert needs_of(runner / "bin" / platform / PROGRAM).machine in {"aarch64", "x86_64"}


def test_wheel_is_small(wheel: Path):
    assert wheel.stat().st_size < 2_000_000


def test_command_line_of_the_wheel_starts_without_the_checkout(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); "
        "import pocketbench.harness.cli.main as m, pocketbench.reports as r; print(m.__file__, r.__file__)"
    )
    completed = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert all(part.startswith(str(tmp_path)) for part in completed.stdout.split())
