"""How the check-up asks a device: few round trips, bounded answers."""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass

from pocketbench.device_profiles.schema import DeviceProfile
from pocketbench.harness.devices.address import AdbAddress, AdbTcpAddress, parse_address
from pocketbench.harness.devices.registry import LOCAL, Device
from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["READ_FILES", "FileText", "Visit", "decode", "file_texts", "reason"]

_TIMEOUT_S = 20.0
_ADB_PORT = 5555
# The largest text that is asked for is `dumpsys power` of a phone with many apps.
_ANSWER_BYTES = 1_000_000
_FILES = 200

# Arguments: a mark, then patterns. A page of each file that a pattern matches, and why not where it cannot be read. The
# patterns hold no spaces; names of files may, and are printed as they are.
READ_FILES = """
mark=$1 readable=
shift
for pattern; do
    for file in $pattern; do
        [ -e "$file" ] || continue
        echo "$mark file $file"
        if dd if="$file" bs=4096 count=1 2>/dev/null; then
            readable=${readable:-$file}
            continue
        fi
        echo
        echo "$mark problem"
        cat "$file" 2>&1 >/dev/null
    done
done
"""


@dataclass(frozen=True, slots=True)
class FileText:
    """A file of the device. `problem` says why it could not be read; then `text` is empty."""

    path: str
    text: str
    problem: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The part before it: `policy0` of `/…/policy0/scaling_governor`."""
        return self.path.rpartition("/")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Visit:
    """A device that is being checked."""

    device: Device
    transport: Transport
    profile: DeviceProfile

    @property
    def is_android(self) -> bool:
        """True where the profile is one of a phone."""
        return self.profile.platform == "android"

    def run(self, *argv: str, timeout_s: float = _TIMEOUT_S) -> Completed:
        """Run `argv`; TransportError where the device is gone."""
        return self.transport.run(argv, timeout_s=timeout_s)

    def text(self, *argv: str) -> str | None:
        """What `argv` printed; None where it failed."""
        completed = self.run(*argv)
        return decode(completed.stdout) if completed.exit_code == 0 else None

    def files(self, *patterns: str) -> list[FileText]:
        """All files that match `patterns`, in one round trip. None may hold spaces."""
        mark = f"pocketbench-{secrets.token_hex(8)}"
        completed = self.run("sh", "-c", READ_FILES, "sh", mark, *patterns)
        return file_texts(decode(completed.stdout), mark)

    def file(self, path: str) -> str | None:
        """The text of one file; None where it is not there or not for us."""
        found = self.files(path)
        return found[0].text if found and found[0].problem is None else None

    def adb(self, command: str) -> str:
        """What to type on this computer so that the phone runs `command`."""
        address = parse_address(self.device.address)
        if isinstance(address, AdbAddress):
            return f"adb -s {shlex.quote(address.serial)} shell {command}"
        if isinstance(address, AdbTcpAddress):
            return f"adb -s {shlex.quote(f'{address.host}:{address.port or _ADB_PORT}')} shell {command}"
        return f"adb shell {command}"

    def register_again(self, *, directory: str | None = None, profile: str | None = None) -> str:
        """The commands that register the device with another directory or profile."""
        if self.device.name == LOCAL:
            return "set POCKETBENCH_HOME to a folder elsewhere"
        name = self.device.name
        place = directory or shlex.quote(str(self.device.directory))
        return (
            f"pocketbench device remove {name} && pocketbench device add {self.device.address} --name {name} "
            f"--profile {profile or self.device.profile} --directory {place}"
        )


def decode(data: bytes) -> str:
    """Text of a device, bounded."""
    return data[:_ANSWER_BYTES].decode(errors="replace")


def file_texts(text: str, mark: str) -> list[FileText]:
    """What READ_FILES printed."""
    text = re.split(rf"^{re.escape(mark)} rate ", text, maxsplit=1, flags=re.MULTILINE)[0]
    return [_file(part, mark) for part in text.split(f"{mark} file ")[1 : _FILES + 1]]


def _file(part: str, mark: str) -> FileText:
    path, _, rest = part.partition("\n")
    text, separator, problem = rest.partition(f"{mark} problem\n")
    if separator:
        return FileText(path, "", problem.strip() or "it cannot be read")
    return FileText(path, text)


def reason(completed: Completed) -> str:
    """Why a command failed, in its own words: the last line of its errors, or else of its output."""
    for stream in (completed.stderr, completed.stdout):
        lines = [line.strip() for line in decode(stream).splitlines() if line.strip()]
        if lines:
            return lines[-1]
    return f"exit code {completed.exit_code}"
