"""`pocketbench deploy`: what is shown while it sends and after, the quota, and devices where nothing is collected."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pocketbench.harness.cli import deploy as command
from pocketbench.harness.cli import output
from pocketbench.harness.cli.main import app
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.errors import DeploymentError
from tests.runner.tiny_models import dense_onnx

CommandLine = Callable[..., Result]


@pytest.fixture
def pocketbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process, with a small model and a registered device of its own directory."""
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    dense_onnx(tmp_path / "dense.onnx")

    def run(*argv: object) -> Result:
        return CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)

    run("device", "add", "local:", "--name", "pi", "--directory", tmp_path / "pb")
    return run


def test_what_was_sent_is_said_and_that_nothing_had_to_be(pocketbench: CommandLine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "_PLAIN_INTERVAL_S", 0.0)

    first = pocketbench("deploy", "dense.onnx", "--on", "pi")
    again = pocketbench("deploy", "dense.onnx", "--on", "pi")

    assert "MB sent, the device verifies them" in first.stderr
    assert ": sent " in first.stdout
    assert again.stdout.endswith(": nothing to send\n")
    assert "MB" not in again.stderr


def test_plain_lines_of_a_transfer_come_seldom(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 1.0, 5.0, 6.0, 11.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    with output.progress_view(plain_interval_s=5.0) as view:
        for number in (1, 5, 6, 11):
            view(Progress(number * 1_000_000, 20_000_000, 0, number * 1_000_000, float(number)))

    assert capsys.readouterr().err.splitlines() == [
        " 25%  5.0 of 20.0 MB, 1.0 MB/s  0:15 left",
        " 55%  11.0 of 20.0 MB, 1.0 MB/s  0:09 left",
    ]


def test_what_exceeds_the_quota_is_refused_before_anything_is_sent(pocketbench: CommandLine, tmp_path: Path):
    with pytest.raises(DeploymentError, match=r"expected at most 1\.0 MB in our directory, .* --quota-mb"):
        pocketbench("deploy", "dense.onnx", "--on", "pi", "--quota-mb", 1)

    assert not (tmp_path / "pb").exists()
    assert pocketbench("deploy", "dense.onnx", "--on", "pi", "--quota-mb", 1000).exit_code == 0
    assert pocketbench("deploy", "push", "dense.onnx", "--on", "pi", "--quota-mb", 0).exit_code == 2


def test_the_status_of_a_device_without_flock_says_so_beside_the_table(
    pocketbench: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pocketbench("deploy", "dense.onnx", "--on", "pi")
    assert pocketbench("deploy", "status", "--on", "pi").stderr == ""
    monkeypatch.setattr("pocketbench.harness.deploy.status.uncollected_bytes", lambda *_: 12_300_000)

    result = pocketbench("deploy", "status", "--on", "pi", "--json")

    assert [row["name"] for row in json.loads(result.stdout)] == ["dense.onnx"]
    assert "pi has no flock" in result.stderr
    assert "12.3 MB" in result.stderr
    assert f"delete {tmp_path / 'pb'} there" in result.stderr
