"""One round trip tells what a device has; what it prints beside that is not believed."""

from __future__ import annotations

import pytest

from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors.catalogue import discover_on
from pocketbench.harness.sensors.listing import parse_listing, take_listing
from pocketbench.harness.transports.local import LocalTransport

MARK = "pocketbench-0123"
PATTERNS = ("/proc/meminfo", "/sys/class/thermal/thermal_zone*/temp", "/sys/class/thermal/thermal_zone*/type")


def printed(*parts: str) -> bytes:
    return "".join([*parts, f"{MARK} end\n"]).encode()


def test_files_refusals_and_programs():
    data = printed(
        f"{MARK} program vcgencmd\n",
        f"{MARK} file /sys/class/thermal/thermal_zone10/temp\n48312\n",
        f"{MARK} file /sys/class/thermal/thermal_zone2/temp\n41000\n",
        f"{MARK} file /sys/class/thermal/thermal_zone3/temp\n\n{MARK} problem\n",
        "cat: /sys/class/thermal/thermal_zone3/temp: Permission denied\n",
    )

    listing = parse_listing(data, MARK, PATTERNS, ["vcgencmd"])

    assert listing is not None
    assert listing.programs == {"vcgencmd"}
    pattern = "/sys/class/thermal/thermal_zone*/temp"
    assert listing.readable(pattern) == tuple(f"/sys/class/thermal/thermal_zone{n}/temp" for n in (2, 10))
    assert listing.text("/sys/class/thermal/thermal_zone10/temp") == "48312"
    assert listing.why_not(pattern) == "/sys/class/thermal/thermal_zone3/temp: Permission denied"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/sys/class/thermal/../../../etc/shadow",
        "/sys/class/thermal/thermal_zone0/policy",
        "",
        "/sys/class/thermal/thermal zone/temp",
        "/sys/class/thermal/a/b/temp",
    ],
)
def test_a_path_that_was_not_asked_for_is_dropped(path):
    listing = parse_listing(printed(f"{MARK} file {path}\n1\n"), MARK, PATTERNS, [])

    assert listing is not None
    assert (listing.files, listing.denied) == ({}, {})


def test_a_torn_answer_is_none():
    assert parse_listing(f"{MARK} file /proc/meminfo\n".encode(), MARK, PATTERNS, []) is None


def test_a_real_shell_gives_what_this_computer_has():
    listing = take_listing(LocalTransport(), ["/proc/meminfo", "/proc/self/no*such"], ["sh", "no-such-program"])

    assert listing.programs == {"sh"}
    assert set(listing.files) == {"/proc/meminfo"}
    assert (listing.text("/proc/meminfo") or "").startswith("MemTotal: ")


def test_sensors_of_this_computer():
    found = discover_on(LocalTransport())

    assert {"cpu-load", "memory"} <= {spec.name for spec in found.specs}


class _Silent(LocalTransport):
    def run(self, argv, *, timeout_s, stdin=b""):
        return super().run(["sh", "-c", "echo no"], timeout_s=timeout_s)


def test_no_whole_answer_is_an_error():
    with pytest.raises(DeviceError, match="ends with its mark"):
        take_listing(_Silent(), PATTERNS, [])
