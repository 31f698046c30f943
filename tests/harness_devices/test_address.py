"""Addresses: every form is taken apart, everything else is refused with the forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.address import (
    AdbAddress,
    AdbTcpAddress,
    LocalAddress,
    ReplayAddress,
    SshAddress,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local:", LocalAddress()),
        ("ssh://pi@kitchen.local:2222", SshAddress("kitchen.local", "pi", 2222)),
        ("ssh://pi@192.168.1.7", SshAddress("192.168.1.7", "pi", None)),
        ("ssh://board_3", SshAddress("board_3", None, None)),
        ("ssh://pi@[fe80::1%eth0]:22", SshAddress("fe80::1%eth0", "pi", 22)),
        ("adb://1A051FDF6007XY", AdbAddress("1A051FDF6007XY")),
        ("adb://192.168.1.9:5555", AdbAddress("192.168.1.9:5555")),
        (
            "adb://adb-1A051FDF6007XY-a1b2c3._adb-tls-connect._tcp",
            AdbAddress("adb-1A051FDF6007XY-a1b2c3._adb-tls-connect._tcp"),
        ),
        ("adb+tcp://192.168.1.9:5555", AdbTcpAddress("192.168.1.9", 5555)),
        ("adb+tcp://phone", AdbTcpAddress("phone", None)),
        ("replay:a bug.jsonl", ReplayAddress(Path("a bug.jsonl"))),
        ("replay:/tmp/bug.jsonl", ReplayAddress(Path("/tmp/bug.jsonl"))),
    ],
)
def test_a_form_is_taken_apart(text, expected):
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "local",
        "local://",
        "LOCAL:",
        "http://board",
        "ssh://",
        "ssh://@board",
        "ssh://-oProxyCommand=x@board",
        "ssh://pi@-oProxyCommand=x",
        "ssh://pi@board/etc",
        "ssh://pi@board name",
        "ssh://pi@board\n",
        "ssh://pi@$(reboot)",
        "ssh://pi@board:22:22",
        "ssh://pi@board:²²",
        "adb://",
        "adb://-s",
        "adb://a b",
        "adb://a;reboot",
        "adb+tcp://",
        "adb+tcp://u@phone",
        "replay:",
        "replay:bug\n.jsonl",
        "REPLAY:bug.jsonl",
    ],
)
def test_anything_else_is_refused_with_the_forms(text):
    with pytest.raises(InputError, match="expected an address like `local:`"):
        parse_address(text)


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(InputError, match=f"from 1 to 65535, got {port}"):
        parse_address(f"ssh://pi@board:{port}")


def test_a_password_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="without a password") as caught:
        parse_address("ssh://pi:hunter2@board")
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_behind_a_scheme_is_taken_apart_or_refused(text):
    for scheme in ("ssh://", "adb://", "adb+tcp://"):
        try:
            address = parse_address(scheme + text)
        except InputError:
            continue
        assert not isinstance(address, LocalAddress | ReplayAddress)
        name = address.serial if isinstance(address, AdbAddress) else address.host
        assert not name.startswith("-")
        assert not set(name) & set(" \t\n'\"$`;|&<>()")
