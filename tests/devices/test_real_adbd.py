"""Google's adbd in the Android-like device speaks to a client that we did not write either."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from adb_shell.adb_device import AdbDeviceTcp
from adb_shell.exceptions import AdbConnectionError, TcpTimeoutException

from pocketbench.harness.runner.binaries import runner_binary
from tests.devices.real_adbd import RealAdbd

TIMEOUT_S = 30.0


@pytest.fixture
def adbd(android, device_cache):
    with RealAdbd(android, device_cache) as adbd:
        yield adbd


@pytest.fixture
def client(adbd):
    client = AdbDeviceTcp(adbd.host, adbd.port, default_transport_timeout_s=TIMEOUT_S)
    assert client.connect(read_timeout_s=TIMEOUT_S)
    yield client
    client.close()


def test_a_shell_of_it_is_the_phones(client):
    said = client.shell("uname -m; echo $0; echo $PATH; getprop ro.product.cpu.abi", read_timeout_s=TIMEOUT_S)

    assert said.split() == ["aarch64", "/bin/sh", "/system/bin", "arm64-v8a"]


def test_a_runner_that_was_pushed_starts(client, android):
    runner = runner_binary("android-arm64")
    client.push(str(runner), "/data/local/tmp/runner", st_mode=0o100755, read_timeout_s=TIMEOUT_S)

    said = client.shell("sha256sum /data/local/tmp/runner; /data/local/tmp/runner describe", read_timeout_s=TIMEOUT_S)

    assert said.startswith(hashlib.sha256(runner.read_bytes()).hexdigest())
    assert '"message":"expected --engine, --library and --model"' in said
    assert (android.data / "runner").stat().st_mode & 0o700 == 0o700  # adbd gives the others what the owner has


def test_only_loopback_sees_it(adbd):
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        addresses = [line.split()[1] for line in Path(table).read_text().splitlines()[1:] if line.split()[3] == "0A"]
        listening += [address.split(":")[0] for address in addresses if address.endswith(f":{adbd.port:04X}")]

    assert listening == ["0100007F"]


def test_it_can_be_unplugged_and_plugged_in_again(adbd, client):
    adbd.unplug()
    with pytest.raises((AdbConnectionError, TcpTimeoutException, OSError)):
        client.shell("true", transport_timeout_s=1.0, read_timeout_s=1.0)

    adbd.plug()
    again = AdbDeviceTcp(adbd.host, adbd.port, default_transport_timeout_s=TIMEOUT_S)
    assert again.connect(read_timeout_s=TIMEOUT_S)
    assert again.shell("echo back", read_timeout_s=TIMEOUT_S) == "back\n"
    again.close()
