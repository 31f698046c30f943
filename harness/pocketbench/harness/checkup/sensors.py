"""Which sensors of the device's profile answer, what they say, and how often that changes.

A sensor is read over and over for about a second by a shell on the device, in one round trip. Reads per second is what
such a loop can do there, a lower bound for our sampler; changes per second is how often the text was another one than
the time before: what the sensor itself gives, where it is slower than the loop.
"""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass

from pocketbench.device_profiles.schema import Sensor
from pocketbench.harness.checkup.firmware import VIDEO_GROUP
from pocketbench.harness.checkup.rows import Row, not_known, ok, warning
from pocketbench.harness.checkup.visit import READ_FILES, FileText, Visit, decode, file_texts

__all__ = ["READ_COMMAND", "READ_SENSOR", "sensor"]

# A command that hangs is given up; one that takes a second is read twice.
_TIMEOUT_S = 30.0
_NO_PROGRAM = (126, 127)
_WORDS = {"governor", "power-state"}
# The time of /proc/uptime costs no process, and stands still for nobody. `look` sets `value`.
_LOOP = """
[ -r /proc/uptime ] || exit 0
uptime() {
    read -r up rest </proc/uptime
    now=${up%.*}${up#*.}
}
look "$@"
last=$value reads=0 changes=0
uptime
start=$now
while :; do
    look "$@"
    reads=$((reads + 1))
    if [ "$value" != "$last" ]; then
        changes=$((changes + 1))
        last=$value
    fi
    uptime
    [ $((now - start)) -lt 100 ] || break
done
echo
echo "$mark rate $reads $changes $((now - start))"
"""
# Arguments: a mark and a pattern. After READ_FILES, the first file that can be read is read on, without a process.
READ_SENSOR = f"""{READ_FILES}
[ -n "$readable" ] || exit 0
look() {{
    value=
    while IFS= read -r line || [ -n "$line" ]; do
        value=$value$line
    done <"$readable"
}}
{_LOOP}"""
# Arguments: a mark and a command.
READ_COMMAND = f"""
mark=$1
shift
look() {{
    value=$("$@" 2>&1 </dev/null)
}}
look "$@"
code=$?
printf '%.4000s\\n' "$value"
echo "$mark code $code"
[ "$code" -eq 0 ] || exit 0
{_LOOP}"""


@dataclass(frozen=True, slots=True)
class _Rate:
    reads_per_s: float
    changes_per_s: float

    def __str__(self) -> str:
        return f"{_short(self.reads_per_s)} reads and {_short(self.changes_per_s)} changes per second"


def sensor(visit: Visit, facts: Sensor) -> Row:
    """Ask one sensor."""
    mark = f"pocketbench-{secrets.token_hex(8)}"
    if facts.path is not None:
        answer = visit.run("sh", "-c", READ_SENSOR, "sh", mark, facts.path, timeout_s=_TIMEOUT_S)
        return _of_files(visit, facts, file_texts(decode(answer.stdout), mark), _rate(decode(answer.stdout), mark))
    assert facts.command is not None  # the schema has one of the two
    answer = visit.run("sh", "-c", READ_COMMAND, "sh", mark, *facts.command, timeout_s=_TIMEOUT_S)
    text = decode(answer.stdout)
    value, _, rest = text.partition(f"{mark} code ")
    code = re.match(r"(\d{1,3})\n", rest, re.ASCII)
    return _of_command(visit, facts, value, int(code[1]) if code else None, _rate(text, mark))


def _of_files(visit: Visit, facts: Sensor, files: list[FileText], rate: _Rate | None) -> Row:
    question = f"sensor {facts.name}"
    readable = [file for file in files if file.problem is None]
    if not files:
        return _absent(visit, facts, f"nothing at {facts.path}")
    if not readable:
        return not_known(question, f"{files[0].path}: {files[0].problem}", _permission(visit, facts))
    first = readable[0]
    shown = f"{first.path} {_value(facts, first.text)}"
    others = len(readable) - 1
    more = f" and {others} more" if others else ""
    denied = f", {len(files) - len(readable)} may not be read" if len(readable) < len(files) else ""
    return _answer(question, facts, first.text, f"{shown}{more}{denied}", rate)


def _of_command(visit: Visit, facts: Sensor, text: str, code: int | None, rate: _Rate | None) -> Row:
    question = f"sensor {facts.name}"
    assert facts.command is not None
    command = shlex.join(facts.command)
    if code in _NO_PROGRAM:
        return _absent(visit, facts, f"no command {facts.command[0]}")
    if code != 0:
        lines = [line for line in text.splitlines() if line.strip()]
        remedy = VIDEO_GROUP if facts.command[0] == "vcgencmd" else None
        return not_known(question, f"`{command}` fails: {lines[-1] if lines else f'exit code {code}'}", remedy)
    return _answer(question, facts, text, f"`{command}` {_value(facts, text)}", rate)


def _answer(question: str, facts: Sensor, text: str, shown: str, rate: _Rate | None) -> Row:
    if facts.quantity not in _WORDS and not re.search(r"\d", text):
        return not_known(question, f"{shown}: a number was expected")
    return ok(question, f"{shown}; {rate or 'its rate is not known'}")


def _absent(visit: Visit, facts: Sensor, found: str) -> Row:
    """A generic profile names what may be there; that of the device names what is."""
    question = f"sensor {facts.name}"
    if visit.profile.generic or facts.needs_root:
        return not_known(question, found)
    return warning(
        question,
        f"{found}, which the profile {visit.profile.name} expects",
        f"choose another profile if this is another device: {visit.register_again(profile='PROFILE')}",
    )


def _permission(visit: Visit, facts: Sensor) -> str:
    if visit.is_android:
        return "only a rooted phone lets it be read"
    return f"on the device: sudo chmod a+r {facts.path}, until it restarts"


def _value(facts: Sensor, text: str) -> str:
    """One line with its unit, or how many lines there are and the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "says nothing"
    if len(lines) > 1:
        return f"gives {len(lines)} lines ({lines[0][:60]} …)"
    number = re.fullmatch(r"-?\d{1,18}(\.\d{1,9})?", lines[0], re.ASCII)
    return f"is {lines[0][:60]}{f' {facts.unit}' if number else ''}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


# pocketbench-… rate 812 3 101
def _rate(text: str, mark: str) -> _Rate | None:
    match = re.search(rf"^{re.escape(mark)} rate (\d{{1,9}}) (\d{{1,9}}) (\d{{1,6}})$", text, re.MULTILINE | re.ASCII)
    if match is None or int(match[3]) == 0:
        return None
    seconds = int(match[3]) / 100
    return _Rate(int(match[1]) / seconds, int(match[2]) / seconds)
