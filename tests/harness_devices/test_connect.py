"""From a registered device to a transport that reaches it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.registry import Device, Registry


def test_this_computer_is_reached(tmp_path):
    with open_transport(Registry(tmp_path / "devices.yaml").get("local"), home=tmp_path) as transport:
        assert transport.run(["uname", "-s"], timeout_s=10).stdout == b"Linux\n"


@pytest.mark.parametrize(
    "address",
    ["ssh://pi@kitchen:2222", "ssh://kitchen", "ssh://pi@[fe80::1]", "adb://SERIAL", "adb+tcp://phone:5555"],
)
def test_a_transport_knows_its_address_and_connects_when_it_is_used(address, tmp_path):
    device = Device("kitchen", address, "generic-linux", PurePosixPath("/d"))

    with open_transport(device, home=tmp_path) as transport:
        assert transport.address == address
