"""From a registered device to a transport: this computer is reached, the others are refused with a sentence."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.registry import Device, Registry


def test_this_computer_is_reached(tmp_path):
    with open_transport(Registry(tmp_path / "devices.yaml").get("local")) as transport:
        assert transport.run(["uname", "-s"], timeout_s=10).stdout == b"Linux\n"


@pytest.mark.parametrize("address", ["ssh://pi@kitchen", "adb://SERIAL", "adb+tcp://phone:5555"])
def test_others_are_refused_with_a_sentence(address):
    device = Device("kitchen", address, "generic-linux", PurePosixPath("/d"))
    with pytest.raises(InputError, match=f"got 'kitchen' at {address.replace('+', '.')}: .* this computer only"):
        open_transport(device)
