"""One plan for this computer, an arm64 board over SSH and an Android-like arm64 phone over ADB, to one report.

The engines of the two arm64 devices come from the package index, as for any user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pocketbench.harness.cli.main import app
from pocketbench.harness.store.store import Store
from tests.devices.android_device import AndroidDevice
from tests.devices.arm64_board import Arm64Board
from tests.devices.arm64_rootfs import make_arm64_root
from tests.devices.real_adbd import RealAdbd, fetch_adbd
from tests.runner.tiny_models import dense_onnx, dense_tflite

CommandLine = Callable[..., Result]
PLAN = """
version: 1
name: three devices
variants: [dense.tflite, dense.onnx]
devices: [local, board, phone]
rounds: 2
data: {evaluation: evaluation.npz}
launch: {iterations: 5, min_time_s: 0, warmup_iterations: 2, warmup_time_s: 0}
"""


@pytest.fixture
def board(device_cache: Path, tmp_path: Path) -> Iterator[Arm64Board]:
    with Arm64Board(make_arm64_root(device_cache), tmp_path / "board") as board:
        yield board


@pytest.fixture
def phone(android: AndroidDevice, device_cache: Path) -> Iterator[RealAdbd]:
    with RealAdbd(android, fetch_adbd(device_cache)) as adbd:
        yield adbd


@pytest.fixture
def pocketbench(board: Arm64Board, device_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """As a user who has nothing but the key to the board; engines that were fetched before are at hand."""
    user, home = tmp_path / "user", tmp_path / "home"
    (user / ".ssh").mkdir(parents=True, mode=0o700)
    (user / ".ssh/config").write_text(f"Host *\n  IdentityFile {board.key_file}\n  GlobalKnownHostsFile none\n")
    home.mkdir()
    (home / "known_hosts").write_text(board.known_hosts_line())
    engines = device_cache / "engines"
    engines.mkdir(exist_ok=True)
    (home / "engines").symlink_to(engines)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("POCKETBENCH_HOME", str(home))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # nobody's: no adb server of this computer is asked
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


@pytest.mark.slow
def test_one_plan_three_devices_one_report(
    pocketbench: CommandLine, board: Arm64Board, phone: RealAdbd, tmp_path: Path
):
    dense_tflite(tmp_path / "dense.tflite")
    dense_onnx(tmp_path / "dense.onnx")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "evaluation.npz", x=random.random((20, 64), np.float32), y=random.integers(0, 32, 20))
    (tmp_path / "plan.yaml").write_text(PLAN)

    added = pocketbench("device", "add", f"ssh://{board.user}@{board.host}:{board.port}", "--name", "board").stdout
    assert "linux-aarch64, profile raspberry-pi-4b" in added
    added = pocketbench("device", "add", f"adb+tcp://{phone.host}:{phone.port}", "--name", "phone").stdout
    assert "android-arm64, profile generic-android, files in /data/local/tmp/pocketbench, directly over TCP" in added

    assert pocketbench("run", "plan.yaml").exit_code == 0

    rows = {
        (row["variant"], row["device"]): row
        for row in json.loads(pocketbench("results", "show", "last", "--json").stdout)
    }
    # The Android build of ONNX Runtime needs bionic, which this phone lacks: that job says so, the others go on.
    failed = rows.pop(("dense.onnx", "phone"))
    assert failed["status"] == "failed"
    assert len(rows) == 5
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert len({row["quality"] for (variant, _), row in rows.items() if variant == "dense.tflite"}) == 1
    with Store(tmp_path / "home") as store:
        engines = store.tables(store.resolve("last"), samples=False).engines
    assert set(engines["platform"]) == {"linux-x86_64", "linux-aarch64", "android-arm64"}
    page = (tmp_path / "report.html").read_text()
    assert all(name in page for name in ("board", "phone", "Cortex-A72"))
