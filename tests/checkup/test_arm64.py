"""The whole check-up on a board and on a phone with programs for arm64: their shells, their tools, official engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.checkup.device import check_device
from pocketbench.harness.checkup.rows import Row
from pocketbench.harness.checkup.storage import executable_directory
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.catalogue import EngineBuild
from pocketbench.harness.engines.supply import engines_folder, ensure_engine
from pocketbench.harness.transports.base import Transport
from tests.checkup.fake_device import HOLDER
from tests.devices.android_device import DATA, AndroidShell
from tests.devices.arm64_board import Arm64Board
from tests.devices.arm64_rootfs import make_arm64_root
from tests.transports.ssh_client import client_in


@pytest.fixture
def checked(device_cache, tmp_path) -> Callable[[Transport, str, str], dict[str, Row]]:
    """Rows by question; engines are fetched once and kept with what devices are made of."""
    home = tmp_path / "home"
    home.mkdir()
    (device_cache / "engines").mkdir(exist_ok=True)
    engines_folder(home).symlink_to(device_cache / "engines")

    def check(transport: Transport, profile: str, directory: str) -> dict[str, Row]:
        def engine(name: str) -> EngineBuild:
            return ensure_engine(name, read_target(transport), home=home, say=print)

        device = Device("arm64", "ssh://root@board", profile, PurePosixPath(directory))
        rows = check_device(device, transport, load_profile(profile), engines=engine, holder=HOLDER)
        return {row.question: row for row in rows}

    return check


@pytest.mark.slow
def test_a_board(device_cache, checked, tmp_path, monkeypatch):
    client = client_in(tmp_path / "user", monkeypatch)
    with Arm64Board(make_arm64_root(device_cache), tmp_path / "board") as board, client.reach(board) as transport:
        rows = checked(transport, "raspberry-pi-4b", "/root/pocketbench")

    assert [row for row in rows.values() if row.status == "fail"] == []
    assert rows["runner"].found == "starts (linux-aarch64)"
    for question in ("LiteRT float32", "LiteRT int8", "ONNX Runtime float32", "ONNX Runtime int8"):
        assert rows[question].status == "ok", rows[question]
        assert "(linux-aarch64) answers right" in rows[question].found
    assert rows["governor policy0"].status in ("ok", "warning")
    assert rows["temperature"].status == "ok"
    assert "changes per second" in rows["sensor requested-frequency"].found


@pytest.mark.slow
def test_a_phone(android, checked):
    rows = checked(AndroidShell(android), "generic-android", f"{DATA}/pocketbench")

    for question in ("monotonic clock", "storage", "executable directory", "runner"):
        assert rows[question].status == "ok", rows[question]
    assert rows["runner"].found == "starts (android-arm64)"
    # It has neither Android's C library nor its services, so only the build with a C library of its own loads.
    for question in ("LiteRT float32", "LiteRT int8"):
        assert rows[question].status == "ok", rows[question]
    assert rows["ONNX Runtime float32"].status == "fail"
    assert "asking failed" not in " ".join(row.found for row in rows.values())


def test_a_phones_card_runs_no_programs(android):
    device = Device("phone", "adb://R5CT", "generic-android", PurePosixPath("/sdcard/pocketbench"))
    (card,) = executable_directory(Visit(device, AndroidShell(android), load_profile("generic-android")))

    assert card.status == "fail"
    assert "is mounted noexec" in card.found
    assert "--directory /data/local/tmp/pocketbench" in str(card.remedy)
