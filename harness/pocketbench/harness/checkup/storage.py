"""Is there room in our directory, and can programs run there?"""

from __future__ import annotations

import re
import secrets
import shlex
from pathlib import PurePosixPath

from pocketbench.harness.checkup.rows import Row, fail, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit, decode, reason
from pocketbench.harness.deploy.space import megabytes
from pocketbench.harness.devices.storage import mount_of, parse_free_bytes

__all__ = ["PROGRAM_RUNS", "executable_directory", "page_size", "storage"]

# The runner, both engines and a small model take 40 MB; an engine with the C library that is carried for it 10 more.
_TOO_LITTLE_BYTES = 60_000_000
_LITTLE_BYTES = 500_000_000
_ANDROID_DIRECTORY = "/data/local/tmp/pocketbench"
_DEEPEST = """
there=$1
until [ -d "$there" ]; do
    there=${there%/*}
    there=${there:-/}
done
df -Pk "$there"
"""
# Arguments: our directory, the name of a new file there. Prints where the directory really is, then what a program of
# one line prints, and removes it.
PROGRAM_RUNS = """
mkdir -p "$1" && cd "$1" || exit 41
trap 'rm -f "./$2"' EXIT
trap 'exit 1' HUP INT TERM
shell=$(command -v sh)
case $shell in /*) ;; *) shell=/bin/sh ;; esac
echo "there $(pwd -P)"
printf '#!%s\\necho runs\\n' "$shell" >"./$2" && chmod 755 "./$2" || exit 42
"./$2" 2>&1
"""
_CANNOT_ENTER, _CANNOT_WRITE = 41, 42


def storage(visit: Visit) -> list[Row]:
    """Room where our directory is, or will be."""
    directory = visit.device.directory
    answer = visit.run("sh", "-c", _DEEPEST, "sh", str(directory))
    free = parse_free_bytes(decode(answer.stdout))
    if free is None:
        return [not_known("storage", f"expected what `df -Pk` says of {directory}, got: {reason(answer)}")]
    found = f"{megabytes(free)} free for {directory}"
    if free >= _LITTLE_BYTES:
        return [ok("storage", found)]
    remedy = (
        f"make room on the device, remove what is not needed (pocketbench deploy status --on {visit.device.name}), or "
        f"use another directory: {visit.register_again(directory='DIRECTORY')}"
    )
    if free < _TOO_LITTLE_BYTES:
        return [fail("storage", f"{found}: runner, engines and a model need {megabytes(_TOO_LITTLE_BYTES)}", remedy)]
    return [warning("storage", f"{found}: enough for a few models", remedy)]


def executable_directory(visit: Visit) -> list[Row]:
    """Write a program of one line and run it."""
    question, directory = "executable directory", visit.device.directory
    answer = visit.run("sh", "-c", PROGRAM_RUNS, "sh", str(directory), f".check-{secrets.token_hex(8)}")
    lines = decode(answer.stdout).splitlines()
    if answer.exit_code == 0 and lines[-1:] == ["runs"]:
        return [ok(question, f"programs run in {directory}")]
    if answer.exit_code == _CANNOT_ENTER:
        return [fail(question, f"{directory} cannot be made or entered: {reason(answer)}", _directory_of_ours(visit))]
    if answer.exit_code == _CANNOT_WRITE:
        return [fail(question, f"{directory} cannot be written to: {reason(answer)}", _directory_of_ours(visit))]
    found = f"a program in {directory} does not run: {reason(answer)}"
    there = lines[0].removeprefix("there ") if lines and lines[0].startswith("there /") else str(directory)
    mount = mount_of(visit.text("cat", "/proc/mounts") or "", PurePosixPath(there))
    if mount is not None and "noexec" in mount[1]:
        point = shlex.quote(mount[0])
        if visit.is_android:
            return [fail(question, f"{found} ({mount[0]} is mounted noexec)", _directory_of_ours(visit))]
        remedy = f"{_directory_of_ours(visit)}; or, on the device: sudo mount -o remount,exec {point}"
        return [fail(question, f"{found} ({mount[0]} is mounted noexec)", remedy)]
    if visit.is_android and (visit.text("getenforce") or "").strip() == "Enforcing":
        found = f"{found} (SELinux is enforcing)"
    return [fail(question, found, _directory_of_ours(visit))]


def page_size(visit: Visit) -> list[Row]:
    """Libraries must be aligned to it; memory figures depend on it."""
    question = "page size"
    # KernelPageSize:        4 kB
    line = visit.text("grep", "-m", "1", "KernelPageSize", "/proc/self/smaps") or ""
    match = re.fullmatch(r"KernelPageSize: {1,20}(\d{1,4}) kB\s*", line, re.ASCII)
    if match is None:
        return [not_known(question, "/proc/self/smaps does not say")]
    kib = int(match[1])
    if kib == 4:
        return [ok(question, "4 KiB")]
    return [
        ok(
            question,
            f"{kib} KiB: engines need libraries that are aligned to it, and memory figures do not compare with "
            "devices of 4 KiB",
        )
    ]


def _directory_of_ours(visit: Visit) -> str:
    directory = _ANDROID_DIRECTORY if visit.is_android else "DIRECTORY"
    where = "the one place where adb's shell may run programs" if visit.is_android else "one in your home there"
    return f"use another directory ({where}): {visit.register_again(directory=directory)}"
