"""The listing in the shells of boards and phones, and from an emulated board's files to joules."""

from __future__ import annotations

import time

import pytest

from pocketbench.harness.sensors.catalogue import PATTERNS, PROGRAMS, discover_on
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.listing import LISTING_SCRIPT, parse_listing
from pocketbench.harness.sensors.metering import window_energy
from pocketbench.harness.sensors.spec import PathNode
from pocketbench.harness.sensors.traces import Record, node_table, traces_of
from pocketbench.harness.transports.local import LocalTransport
from tests.devices.board import Board
from tests.needs import require_program
from tests.transports.ssh_client import client_in

MARK = "pocketbench-0123"


@pytest.mark.parametrize("name", ["bash", "busybox", "dash", "mksh"])
def test_every_shell_lists(name):
    shell = str(require_program(name, f"apt-get install {name}"))
    argv = (shell, *(["sh"] if name == "busybox" else []), "-c", LISTING_SCRIPT, "sh", MARK, *PROGRAMS, "--", *PATTERNS)

    listing = parse_listing(LocalTransport().run(argv, timeout_s=60).stdout, MARK, PATTERNS, PROGRAMS)

    assert listing is not None
    assert {"/proc/meminfo", "/proc/stat", "/proc/loadavg"} <= set(listing.files)


def test_a_board_with_a_meter(tmp_path, monkeypatch):
    """Its INA219 shows 5.12 V and 812 mA, over four seconds."""
    client = client_in(tmp_path / "user", monkeypatch)
    with Board(tmp_path / "board") as board, client.reach(board) as transport:
        found = discover_on(transport)
        meter = next(spec for spec in found.specs if spec.name == "ina219 (hwmon1)")
        texts = {
            node.key: transport.run(["cat", node.path], timeout_s=20).stdout
            for node in meter.nodes
            if isinstance(node, PathNode)
        }

    names = {spec.name for spec in found.specs}
    assert {"cpu-frequency", "fuel-gauge", "ina219 (hwmon1)", "thermal-zones", "under-voltage", "vcgencmd"} <= names
    assert any("Raspberry Pi 5" in absent.reason for absent in found.absent if absent.name == "raspberry-pi-pmic")
    start_ns = time.monotonic_ns()
    readings = [
        Record(start_ns + index * meter.period_ns, number, texts[node.key])
        for number, (spec, node) in enumerate(node_table(found.specs))
        if spec == meter
        for index in range(201)
    ]
    window = Window(start_ns, start_ns + 4 * 10**9)
    energy = window_energy(meter, traces_of(found.specs, readings), window)
    assert energy.energy_j == pytest.approx(5.12 * 0.812 * 4)
