"""Everything that a device is asked about itself, in one command."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pocketbench.harness.transports.base import Transport

__all__ = ["Answers", "ask", "split_answers"]

_TIMEOUT_S = 30.0
_OUTPUT_BYTES = 16_000_000

# Arguments: a mark that divides the parts, our directory (empty: none), whether serial numbers are wanted (empty: no:
# what is not asked for is in no transcript). What a device lacks or refuses prints nothing.
# It runs in dash, bash, busybox ash and mksh, which has no [[ and no printf of its own. The commands are those that
# busybox has and Android since 7.0 (AOSP, core/shell_and_utilities/README.md): cat and grep are BSD's there, head, df
# and uname toybox's; getconf came later, but ldd and glibc are not there either. `read` starts no process: a server has
# a hundred cpufreq policies.
_SCRIPT = r"""
mark=$1 directory=$2 serial=$3
part() { echo; echo "$mark $1"; }
show() { part "$1"; cat "$2" 2>/dev/null; }
line() {
    [ -r "$1" ] || return
    value=
    IFS= read -r value 2>/dev/null <"$1" || [ -n "$value" ] || return
    echo "$1 $value"
}
LC_ALL=C
export LC_ALL
part uname; uname -r -m
part cpuinfo; if [ -n "$serial" ]; then cat /proc/cpuinfo; else grep -v '^Serial' /proc/cpuinfo; fi
show meminfo /proc/meminfo
show loadavg /proc/loadavg
if [ -e /etc/os-release ]; then show os-release /etc/os-release; else show os-release /usr/lib/os-release; fi
show online /sys/devices/system/cpu/online
for name in model compatible ${serial:+serial-number}; do
    show "tree-$name" "/sys/firmware/devicetree/base/$name"
done
for name in sys_vendor product_name; do show "$name" "/sys/class/dmi/id/$name"; done
[ -z "$serial" ] || show machine-id /etc/machine-id
part properties
names='product\.(manufacturer|model|cpu\.abilist)|soc\.(manufacturer|model)|board\.platform'
names="$names|build\.version\.(release|sdk|security_patch)${serial:+|serialno}"
getprop 2>/dev/null | grep -E "^\[ro\.($names)\]: "
part frequencies
set -- /sys/devices/system/cpu/cpufreq/policy*
[ -d "$1" ] || set -- /sys/devices/system/cpu/cpu[0-9]*/cpufreq
for folder; do
    for name in related_cpus cpuinfo_max_freq scaling_governor; do line "$folder/$name"; done
done
part libc
getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 2
part page; grep -m 1 KernelPageSize /proc/self/smaps 2>/dev/null
if [ -n "$directory" ]; then
    while [ ! -d "$directory" ]; do directory=${directory%/*}; directory=${directory:-/}; done
    part place; (cd "$directory" 2>/dev/null && pwd -P)
    part space; df -Pk "$directory" 2>/dev/null
    show mounts /proc/mounts
fi
part end
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the device printed, by part; untrusted bytes."""

    parts: Mapping[str, bytes]

    def text(self, name: str) -> str:
        """A part as text, empty where the device said nothing."""
        return self.parts.get(name, b"").decode(errors="replace")

    def line(self, name: str) -> str:
        """A part of one line."""
        return self.text(name).strip()


def ask(transport: Transport, directory: PurePosixPath | None = None, *, serial: bool = False) -> Answers:
    """Ask the device, also about `directory`, which need not exist yet, and for its serial number where it is wanted.

    TransportError where it cannot be reached.
    """
    mark = f"pocketbench-{secrets.token_hex(8)}"
    argv = ("sh", "-c", _SCRIPT, "sh", mark, str(directory or ""), "serial" if serial else "")
    return split_answers(transport.run(argv, timeout_s=_TIMEOUT_S).stdout, mark)


def split_answers(output: bytes, mark: str) -> Answers:
    """Take apart what the script prints. Of a part that comes twice the first one counts."""
    parts: dict[str, bytes] = {}
    text = b"\n" + output[:_OUTPUT_BYTES].replace(b"\r\n", b"\n")
    for part in text.split(f"\n{mark} ".encode())[1:]:
        name, _, body = part.partition(b"\n")
        parts.setdefault(name.decode(errors="replace"), body)
    return Answers(parts)
