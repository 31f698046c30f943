"""One look at a device that may be prepared: what can be set there, and what an earlier preparation left."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pocketbench.harness.deploy.survey import split_marked
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.preparation.device_scripts import Place, failure, run_script
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.record import Restoration
from pocketbench.harness.preparation.restoration import parse_restoration
from pocketbench.harness.transports.base import Transport

__all__ = ["Left", "Node", "Survey", "is_node", "is_value", "parse_survey", "survey"]

_OUTPUT_BYTES = 4_000_000
_STATE_BYTES = 1_000_000
# As nodes.sh has them.
_NODE = re.compile(
    r"sys/devices/system/cpu/(?:cpufreq|cpu\d+/cpufreq)/[A-Za-z0-9_./-]{1,200}"
    r"|sys/class/hwmon/hwmon\d+/pwm1|sys/class/thermal/cooling_device\d+(?:/cur_state)?"
    r"|setting/global/stay_on_while_plugged_in|setting/system/screen_off_timeout|screen",
    re.ASCII,
)
_VALUE = re.compile(r"(?:[A-Za-z0-9_.:,+ ]|-(?=\d|$))[A-Za-z0-9_.:,+ -]*", re.ASCII)
_VALUE_CHARACTERS, _LIST_CHARACTERS = 200, 4000


@dataclass(frozen=True, slots=True)
class Node:
    """What a node says, None for nothing that we would write back, and whether this user may write to it."""

    value: str | None
    writable: bool


@dataclass(frozen=True, slots=True)
class Left:
    """A preparation that has not ended. `token` is None where its file is damaged."""

    token: str | None
    boot: str
    holder: Holder | None
    since: str
    touches_kernel: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What the device said. `tunables` are the settings of the governors in use; `coolers` maps a cooling device to its
    type, `cooler_states` to its highest state. `deadline_s` and `uptime_s` are of its own clock.
    """

    uptime_s: int
    boot: str
    is_root: bool
    has_flock: bool
    left: Left | None
    deadline_s: int
    last: Restoration | None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    tunables: Mapping[str, str | None] = field(default_factory=dict)
    coolers: Mapping[str, str] = field(default_factory=dict)
    cooler_states: Mapping[str, str] = field(default_factory=dict)

    def value(self, node: str) -> str | None:
        """What `node` says; None where there is none."""
        found = self.nodes.get(node)
        return None if found is None else found.value

    def is_leased(self) -> bool:
        """True while an earlier preparation stands and its time has not run out."""
        return self.left is not None and self.left.boot == self.boot and self.uptime_s < self.deadline_s


def is_node(text: str) -> bool:
    """True for a name of something that may be set."""
    return _NODE.fullmatch(text) is not None and ".." not in text


def is_value(text: str, characters: int = _VALUE_CHARACTERS) -> bool:
    """True for words that every shell's echo writes as they are."""
    return len(text) <= characters and _VALUE.fullmatch(text) is not None


def survey(transport: Transport, place: Place, about: Literal["left", "linux", "android"]) -> Survey:
    """Ask the device; DeviceError where it cannot say what a preparation needs."""
    mark = f"pocketbench-{secrets.token_hex(8)}"
    completed = run_script(transport, "survey", place, mark, about)
    found = parse_survey(completed.stdout, mark) if completed.exit_code == 0 else None
    if found is None:
        raise failure(transport, completed, "look at what was and can be prepared there")
    return found


def parse_survey(output: bytes, mark: str) -> Survey | None:
    """Read what survey.sh prints; None where that is not all of it."""
    words: dict[str, str] = {}
    bodies: dict[str, bytes] = {}
    nodes: dict[str, Node] = {}
    named: dict[str, dict[str, str]] = {"tunable": {}, "type": {}, "max": {}}
    for word, value, body in split_marked(output[:_OUTPUT_BYTES].replace(b"\r\n", b"\n"), mark):
        name, _, rest = value.partition(" ")
        if word == "node" and is_node(name):
            right, _, said = rest.partition(" ")
            nodes[name] = Node(said if is_value(said, _LIST_CHARACTERS) else None, right == "w")
        elif word in named:
            named[word][name] = rest
        else:
            words.setdefault(word, value)
            bodies.setdefault(word, body)
    uptime = words.get("uptime", "")
    if "end" not in words or "boot" not in words or not re.fullmatch(r"\d{1,12}", uptime, re.ASCII):
        return None
    return Survey(
        uptime_s=int(uptime),
        boot=words["boot"],
        is_root=words.get("user") == "0",
        has_flock="flock" in words,
        left=_left(bodies["state"]) if "state" in bodies else None,
        deadline_s=_deadline(bodies.get("deadline", b"")),
        last=parse_restoration(bodies["last"]) if "last" in bodies else None,
        nodes=nodes,
        tunables={name: said if is_value(said) else None for name, said in named["tunable"].items()},
        coolers={name: said for name, said in named["type"].items() if is_node(name) and is_value(said)},
        cooler_states={name: said for name, said in named["max"].items() if is_node(name) and is_value(said)},
    )


# format 1
# boot 5f0c…
# token 0123…
# holder 0123456789abcdef 4711 123456 alice@laptop
# since 2026-01-02T03:04:05Z
# node sys/devices/system/cpu/cpufreq/policy0/scaling_governor - ondemand
# end
def _left(data: bytes) -> Left:
    lines = [line for line in data[:_STATE_BYTES].decode(errors="replace").splitlines() if line]
    fields: dict[str, str] = {}
    nodes = []
    for line in lines:
        key, _, value = line.partition(" ")
        fields.setdefault(key, value)
        if key == "node":
            nodes.append(value)
    token = fields.get("token", "")
    whole = "end" in fields and re.fullmatch(r"[0-9a-f]{32}", token) is not None
    return Left(
        token=token if whole else None,
        boot=fields.get("boot", ""),
        holder=Holder.parse(fields.get("holder", "")),
        since=clean_text(fields.get("since", "")) or "unknown",
        touches_kernel=any(node.startswith("sys/") for node in nodes),
    )


def _deadline(data: bytes) -> int:
    match = re.match(rb"(\d{1,12}) ", data)
    return int(match[1]) if match else 0
