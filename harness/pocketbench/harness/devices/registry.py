"""The devices that the user has named, in `devices.yaml` of the home folder:

    version: 1
    devices:
      - name: kitchen-pi
        address: ssh://pi@kitchen.local
        profile: raspberry-pi-5
        directory: /home/pi/pocketbench

The file may be edited by hand. The device `local` (this computer) is always there and not in the file.

Format history:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import yaml

from pocketbench.checked.errors import InputError, nearest
from pocketbench.checked.yaml import Strict, load_yaml
from pocketbench.device_profiles.loader import profile_names
from pocketbench.harness.devices.address import AdbAddress, AdbTcpAddress, LocalAddress, parse_address

__all__ = ["ANDROID_DIRECTORY", "LOCAL", "Device", "Registry", "new_device"]

LOCAL = "local"
_LOCAL_PROFILE = "this-computer"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_HEADER = """\
# The devices that pocketbench knows, beside this computer (`local`).
# Edit freely; comments are not kept when `pocketbench device add` or `remove` writes the file.
"""
# The one place on every Android device where adb's shell may write and execute (AOSP: shell_data_file).
ANDROID_DIRECTORY = PurePosixPath("/data/local/tmp/pocketbench")


@dataclass(frozen=True, slots=True)
class Device:
    """One registered thing. `directory` is ours on the device: everything we put there is below it."""

    name: str
    address: str
    profile: str
    directory: PurePosixPath


class _Entry(Strict):
    name: str
    address: str
    profile: str
    directory: str


class _File(Strict):
    version: Literal[1]
    devices: tuple[_Entry, ...] = ()


class Registry:
    """The devices in the file `path` (which need not exist) and the built-in `local`.

    The directory of `local` is `device` beside the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        directory = PurePosixPath(path.absolute().parent / "device")
        self._local = Device(LOCAL, "local:", _LOCAL_PROFILE, directory)

    def list(self) -> list[Device]:
        """All devices, `local` first, the others by name."""
        return [self._local, *sorted(self._read(), key=lambda device: device.name)]

    def get(self, name: str) -> Device:
        """The device called `name`; InputError with the nearest names where there is none."""
        devices = {device.name: device for device in self.list()}
        if name not in devices:
            raise InputError(
                f"expected a registered device, got {name!r}; {nearest(name, devices)}. "
                "Register it with `pocketbench device add`."
            )
        return devices[name]

    def add(self, device: Device) -> None:
        """Register `device`; InputError where the name is taken or something about it cannot be."""
        with self._locked():
            self.check_free(device)
            self._write([*self._read(), device])

    def check_free(self, device: Device) -> None:
        """Raise InputError where `add` would."""
        _check(device)
        taken = {other.name.casefold(): other for other in self._read()}
        other = taken.get(device.name.casefold())
        if other is not None:
            raise InputError(
                f"expected a new name, got {device.name!r}, which is taken by {other.address}: choose another, "
                f"or remove it first with `pocketbench device remove {other.name}`."
            )

    def remove(self, name: str) -> None:
        """Forget the device called `name`; what is deployed on it stays there."""
        if name == LOCAL:
            raise InputError(f"expected a device that was added, got {name!r}: this computer is built in.")
        with self._locked():
            self.get(name)
            self._write([device for device in self._read() if device.name != name])

    def _read(self) -> Sequence[Device]:
        if not self._path.exists():
            return ()
        entries = load_yaml(self._path, _File).devices
        devices = [Device(e.name, e.address, e.profile, PurePosixPath(e.directory)) for e in entries]
        seen: set[str] = set()
        for device in devices:
            try:
                _check(device)
            except InputError as error:
                raise InputError(f"{self._path}, device {device.name!r}: {error}") from error
            if device.name.casefold() in seen:
                raise InputError(f"{self._path}: expected different names, got {device.name!r} twice: rename one.")
            seen.add(device.name.casefold())
        return devices

    def _write(self, devices: Sequence[Device]) -> None:
        entries = [
            {"name": d.name, "address": d.address, "profile": d.profile, "directory": str(d.directory)}
            for d in sorted(devices, key=lambda device: device.name)
        ]
        text = _HEADER + yaml.safe_dump({"version": 1, "devices": entries}, sort_keys=False, allow_unicode=True)
        try:
            _replace(self._path, text)
        except OSError as error:
            raise InputError(
                f"expected to write {self._path}, got {error.strerror}: it is unchanged; make room, or set "
                "POCKETBENCH_HOME to a folder you can write to."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other pocketbench processes from changing the file between our reading and writing it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = (self._path.parent / ".devices.lock").open("a")
        except OSError as error:
            raise InputError(
                f"expected a folder to keep devices in, got {self._path.parent}: {error.strerror}. "
                "Set POCKETBENCH_HOME to a folder you can write to."
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replace(path: Path, text: str) -> None:
    """Write `text` to `path` through a temporary file and a rename."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".devices-", suffix=".yaml")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def new_device(name: str, address: str, *, profile: str | None = None, directory: str | None = None) -> Device:
    """A device to add, with the generic profile and the usual directory of its kind where none is given."""
    parsed = parse_address(address)
    phone = isinstance(parsed, AdbAddress | AdbTcpAddress)
    if profile is None:
        local = isinstance(parsed, LocalAddress)
        profile = _LOCAL_PROFILE if local else "generic-android" if phone else "generic-linux"
    if directory is None:
        if not phone:
            raise InputError(
                f"expected a directory on the device {name!r}, got none: say where pocketbench may keep its files "
                "there, for example --directory /home/pi/pocketbench."
            )
        directory = str(ANDROID_DIRECTORY)
    device = Device(name, address, profile, PurePosixPath(directory))
    _check(device)
    return device


def _check(device: Device) -> None:
    if not _NAME.fullmatch(device.name):
        raise InputError(
            "expected a device name of at most 63 letters, digits, dots, underscores and dashes that starts with a "
            f"letter or digit, got {device.name!r}."
        )
    if device.name.casefold() == LOCAL:
        raise InputError(f"expected a name other than {LOCAL!r}, which is this computer, got {device.name!r}.")
    parse_address(device.address)
    if device.profile not in profile_names():
        hint = nearest(device.profile, profile_names())
        raise InputError(f"expected the name of a device profile, got {device.profile!r}; {hint}.")
    directory = str(device.directory)
    if not directory.startswith("/") or len(directory) < 2 or ".." in device.directory.parts:
        raise InputError(f"expected an absolute directory without '..' on the device, got {directory!r}.")
    if not directory.isprintable():
        raise InputError(f"expected a directory without control characters, got {directory!r}.")
