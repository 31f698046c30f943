"""One plan for this computer, an arm64 board over SSH and an Android-like arm64 phone over ADB, to one report.

The engines of the two arm64 devices come from the package index, as for any user. The phone has no C library of
Android, which the build of ONNX Runtime for Android needs: the user adds the one for boards to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pocketbench.harness.cli.main import app
from pocketbench.harness.engines.catalogue import host_platform
from pocketbench.harness.engines.supply import fetch_platform
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
    fetch_platform("linux-aarch64", home=device_cache, say=print)
    (home / "engines").mkdir()
    for fetched in (device_cache / "engines").iterdir():
        (home / "engines" / fetched.name).symlink_to(fetched)  # what the test adds stays in its own home
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

    builds = json.loads(pocketbench("engine", "list", "--json").stdout)
    (board_build,) = (row for row in builds if row["engine"] == "ONNX Runtime" and "linux-aarch64" in row["used_for"])
    added = pocketbench("engine", "add", board_build["library"], "--platform", "android-arm64").stdout.strip()
    assert added == f"onnxruntime-1.32.0-android-arm64+added-{board_build['sha256'][:12]}"

    ran = pocketbench("run", "plan.yaml")

    assert ran.exit_code == 0
    assert f"ONNX Runtime for android-arm64 is the build that was added from libonnxruntime.so.1.32.0: {added}" in (
        ran.stderr
    )
    rows = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert sorted((row["variant"], row["device"]) for row in rows) == [
        (variant, device) for variant in ("dense.onnx", "dense.tflite") for device in ("board", "local", "phone")
    ]
    assert {row["status"] for row in rows} == {"ok"}
    # The same data gives the same answers wherever a variant runs.
    assert len({row["quality"] for row in rows if row["variant"] == "dense.tflite"}) == 1
    assert len({row["quality"] for row in rows if row["variant"] == "dense.onnx"}) == 1
    with Store(tmp_path / "home") as store:
        tables = store.tables(store.resolve("last"), samples=False)
    engines = {row["engine_id"]: row for row in tables.engines.to_dict("records")}
    used = {
        (job["device"], engines[job["engine_id"]]["name"]): engines[job["engine_id"]]
        for job in tables.jobs.to_dict("records")
    }
    assert {key: engine["platform"] for key, engine in used.items()} == {
        (device, name): platform
        for device, platform in (("board", "linux-aarch64"), ("local", host_platform()), ("phone", "android-arm64"))
        for name in ("LiteRT", "ONNX Runtime")
    }
    on_phone = used["phone", "ONNX Runtime"]
    assert on_phone["engine_id"].startswith(f"{added}+glibc-")
    assert (on_phone["version"], on_phone["sha256"]) == ("1.32.0", board_build["sha256"])
    page = (tmp_path / "report.html").read_text()
    assert all(name in page for name in ("board", "phone", "Cortex-A72"))
    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    for device in ("board", "phone"):
        build = used[device, "ONNX Runtime"]
        assert f"ONNX Runtime 1.32.0 {build['platform']} {build['engine_id']} {build['sha256'][:12]}" in words
