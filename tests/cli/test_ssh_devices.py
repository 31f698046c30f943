"""A board over SSH from the command line: registered after its host key was confirmed, shown, deployed to, measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli import registration
from pocketbench.harness.cli.main import app
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh_host_keys import UnknownHostKeyError
from tests.devices.sshd import Sshd
from tests.runner.tiny_models import dense_onnx, dense_tflite

CommandLine = Callable[..., Result]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "board") as server:
        yield server


@pytest.fixture
def pocketbench(tmp_path: Path, board: Sshd, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process, as a user who has nothing but the key to the board."""
    user = tmp_path / "user"
    (user / ".ssh").mkdir(parents=True, mode=0o700)
    (user / ".ssh/config").write_text(f"Host *\n  IdentityFile {board.key_file}\n  GlobalKnownHostsFile none\n")
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


def fingerprint(board: Sshd, pocketbench: CommandLine) -> str:
    with pytest.raises(UnknownHostKeyError) as caught:
        pocketbench("device", "add", address(board), "--name", "pi")
    return caught.value.key.fingerprint


def address(board: Sshd) -> str:
    return f"ssh://{board.user}@{board.host}:{board.port}"


def registered(pocketbench: CommandLine) -> list[str]:
    return [device["name"] for device in json.loads(pocketbench("device", "list", "--json").stdout)]


def test_a_board_is_registered_shown_deployed_to_and_measured(pocketbench: CommandLine, board: Sshd, tmp_path: Path):
    known = fingerprint(board, pocketbench)
    place = tmp_path / "a place's name"

    added = pocketbench(
        "device", "add", address(board), "--name", "pi", "--fingerprint", known, "--directory", place
    ).stdout

    assert "registered pi" in added
    assert json.loads(pocketbench("device", "show", "pi", "--json").stdout)["facts"]["architecture"]
    dense_onnx(tmp_path / "dense.onnx")
    dense_tflite(tmp_path / "dense.tflite")
    assert pocketbench("deploy", "dense.onnx", "--on", "pi").exit_code == 0
    assert "dense.onnx" in pocketbench("deploy", "status", "--on", "pi").stdout
    result = pocketbench(
        "bench", "dense.onnx", "dense.tflite", "--on", "local", "--on", "pi", "--quick", "--rounds", "1"
    )
    assert result.exit_code == 0
    rows = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert sorted(row["device"] for row in rows if row["status"] == "ok") == ["local", "local", "pi", "pi"]
    assert (place / "deployments" / "dense.tflite").is_dir()


def test_a_host_key_is_confirmed_once_at_the_terminal(
    pocketbench: CommandLine, board: Sshd, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(registration, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)

    pocketbench("device", "add", address(board), "--name", "pi", "--directory", "/tmp/pocketbench-test")
    pocketbench("device", "add", address(board), "--name", "pi2", "--directory", "/tmp/pocketbench-test")

    assert len(asked) == 1
    assert registered(pocketbench) == ["local", "pi", "pi2"]


def test_a_key_that_is_not_confirmed_registers_nothing(pocketbench: CommandLine, board: Sshd):
    with pytest.raises(UnknownHostKeyError):  # nobody at a terminal
        pocketbench("device", "add", address(board), "--name", "pi")
    with pytest.raises(InputError, match=r"expected .* to show the host key SHA256:other, got ssh-ed25519 SHA256:"):
        pocketbench("device", "add", address(board), "--name", "pi", "--fingerprint", "SHA256:other")

    assert registered(pocketbench) == ["local"]


def test_a_board_that_does_not_answer_is_not_registered(pocketbench: CommandLine, board: Sshd):
    board.stop()

    with pytest.raises(TransportError, match="pi: expected to connect"):
        pocketbench("device", "add", address(board), "--name", "pi")

    assert registered(pocketbench) == ["local"]


def test_a_name_that_is_taken_is_refused_before_anybody_is_asked(pocketbench: CommandLine, board: Sshd):
    known = fingerprint(board, pocketbench)
    pocketbench("device", "add", address(board), "--name", "pi", "--fingerprint", known)
    board.stop()

    with pytest.raises(InputError, match="expected a new name, got 'pi'"):
        pocketbench("device", "add", "ssh://nobody@nowhere.invalid", "--name", "pi")
