"""Addresses of devices: what the user writes, taken apart.

local:                       this computer
ssh://user@host:port         a board; user and port may be left out, host may be an alias of ~/.ssh/config
adb://SERIAL                 a phone, by the serial that `adb devices` prints
adb+tcp://host:port          a phone over the network; the port may be left out
replay:PATH                  a session that `--record` wrote, in place of a device (docs/bug-reports.md)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["AdbAddress", "AdbTcpAddress", "Address", "LocalAddress", "ReplayAddress", "SshAddress", "parse_address"]

# Names of hosts, IPv4 addresses and aliases of ~/.ssh/config, or an IPv6 address in brackets. None may start with
# a dash: it would be an option to any program that it is handed to.
_HOST = r"(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?\])"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_SSH = re.compile(rf"ssh://(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,63}})@)?{_HOST}{_PORT}/?", re.ASCII)
_ADB_TCP = re.compile(rf"adb\+tcp://{_HOST}{_PORT}/?", re.ASCII)
_ADB = re.compile(r"adb://(?P<serial>[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127})/?", re.ASCII)
_REPLAY = "replay:"
_FORMS = "`local:`, `ssh://user@host:port`, `adb://SERIAL`, `adb+tcp://host:port` or `replay:PATH`"


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """This computer."""


@dataclass(frozen=True, slots=True)
class SshAddress:
    """A board; None where ~/.ssh/config or ssh's own defaults decide."""

    host: str
    user: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class AdbAddress:
    """A phone by its serial."""

    serial: str


@dataclass(frozen=True, slots=True)
class AdbTcpAddress:
    """A phone by its place in the network; None for adb's own default port."""

    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class ReplayAddress:
    """A transcript in place of a device; `path` as the user gave it."""

    path: Path


Address = LocalAddress | SshAddress | AdbAddress | AdbTcpAddress | ReplayAddress


def parse_address(text: str) -> Address:
    """Take `text` apart; InputError where it is none of the forms."""
    if text == "local:":
        return LocalAddress()
    if text.startswith("ssh://"):
        if "@" in text and ":" in text.removeprefix("ssh://").split("@")[0]:
            # The text may hold a password: it is not repeated.
            raise InputError(
                "expected an ssh address without a password, got one with ':' before the '@': write "
                "ssh://user@host; the password is asked for, or use a key."
            )
        if match := _SSH.fullmatch(text):
            return SshAddress(_host(match["host"]), match["user"], _port(match["port"], text))
    elif text.startswith("adb+tcp://"):
        if match := _ADB_TCP.fullmatch(text):
            return AdbTcpAddress(_host(match["host"]), _port(match["port"], text))
    elif text.startswith("adb://") and (match := _ADB.fullmatch(text)):
        return AdbAddress(match["serial"])
    elif text.startswith(_REPLAY) and text != _REPLAY and text.isprintable():
        return ReplayAddress(Path(text.removeprefix(_REPLAY)))
    raise InputError(f"expected an address like {_FORMS}, got {text!r}.")


def _host(text: str) -> str:
    return text.removeprefix("[").removesuffix("]")


def _port(digits: str | None, text: str) -> int | None:
    if digits is None:
        return None
    if not 1 <= int(digits) <= 65535:
        raise InputError(f"expected a port from 1 to 65535, got {digits} in {text!r}.")
    return int(digits)
