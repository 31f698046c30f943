"""Whatever a device says: data or None, never another error, and nothing that would reach a shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.preparation import prepared
from pocketbench.harness.preparation.answers import parse_changes, parse_found
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.preparation.restoration import parse_restoration
from pocketbench.harness.preparation.survey import is_node, is_value, parse_survey
from tests.needs import require_program
from tests.preparation.machine import CPUFREQ

SCRIPTS = Path(prepared.__file__).parent / "scripts"
MARK = "pocketbench-0123456789abcdef"
STATE = b"""\
format 1
boot 5f0c1b1e-8c4e-4a7c-9d8d-0123456789ab
token 0123456789abcdef0123456789abcdef
holder 0123456789abcdef 4711 123456 alice@laptop
since 2026-01-02T03:04:05Z
node sys/class/hwmon/hwmon2/pwm1 255 75
end
"""
LAST = b"""\
format 1
token 0123456789abcdef0123456789abcdef
by guardian
uptime 1234
time 2026-01-02T03:04:05Z
node sys/class/hwmon/hwmon2/pwm1
value 75
status restored
found 75
end
"""


def answer(*lines: str) -> bytes:
    return "".join(f"{MARK} {line}\n" for line in lines).encode()


def test_a_survey():
    said = answer("uptime 1000", "boot abc", "user 0", "flock", "state") + STATE + b"\n"
    said += answer("deadline") + b"1100 0123456789abcdef0123456789abcdef\n\n" + answer("last") + LAST + b"\n"
    said += answer(
        "node sys/devices/system/cpu/cpufreq/policy0/scaling_governor w ondemand",
        "node sys/devices/system/cpu/cpufreq/policy0/scaling_driver r ?",
        "node /etc/passwd w x",
        "tunable sys/devices/system/cpu/cpufreq/ondemand/up_threshold 50",
        "type sys/class/thermal/cooling_device0 pwm-fan",
        "max sys/class/thermal/cooling_device0 4",
        "end",
    )

    found = parse_survey(said, MARK)

    assert found is not None
    assert found.left is not None
    assert found.left.holder == Holder("0123456789abcdef", 4711, 123456, "alice@laptop")
    assert found.left.touches_kernel
    assert (found.uptime_s, found.deadline_s, found.is_root, found.has_flock) == (1000, 1100, True, True)
    assert found.last is not None
    assert found.last.by == "guardian"
    assert list(found.nodes) == [
        "sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_driver",
    ]
    assert found.value("sys/devices/system/cpu/cpufreq/policy0/scaling_driver") is None
    assert found.coolers == {"sys/class/thermal/cooling_device0": "pwm-fan"}
    assert not found.is_leased()  # another boot


@pytest.mark.parametrize("missing", ["uptime 1000", "boot abc", "end"])
def test_half_a_survey_is_none(missing):
    lines = [line for line in ("uptime 1000", "boot abc", "end") if line != missing]

    assert parse_survey(answer(*lines), MARK) is None


def test_a_restoration():
    found = parse_restoration(LAST)

    assert found is not None
    assert [(item.node, item.before, item.status) for item in found.items] == [
        ("sys/class/hwmon/hwmon2/pwm1", "75", "restored")
    ]
    assert parse_restoration(LAST.replace(b"end\n", b"")) is None


def test_control_characters_do_not_come_through():
    found = parse_restoration(LAST.replace(b"guardian", b"\x1b[31mguard\x07ian"))

    assert found is not None
    assert found.by.isprintable()


WORDS = st.sampled_from(
    ["uptime", "boot", "node", "tunable", "state", "last", "set", "changed", "before", "found", "error", "end", "max"]
)
VALUES = st.one_of(
    st.text(max_size=40), st.sampled_from(["1000", "sys/class/hwmon/hwmon2/pwm1 w 3", "screen", "9" * 30, "-1"])
)
OUTPUTS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.tuples(WORDS, VALUES), max_size=12).map(lambda pairs: answer(*(" ".join(pair) for pair in pairs))),
)


@given(OUTPUTS)
def test_a_survey_of_anything(output):
    found = parse_survey(output, MARK)

    if found is not None:
        assert all(
            is_node(node) and (said.value is None or is_value(said.value, 4000)) for node, said in found.nodes.items()
        )


@given(OUTPUTS)
def test_answers_of_anything(output):
    assert all(is_node(node) for node in parse_found(output, MARK))
    for change in parse_changes(output, MARK, {"screen": "screen"}, "now"):
        assert change.found is None or is_value(change.found)


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=20).map(lambda junk: LAST.replace(b"restored", junk))))
def test_a_restoration_of_anything(data):
    found = parse_restoration(data)

    assert found is None or all(item.node.isprintable() for item in found.items)


@given(st.text(max_size=80))
def test_a_holder_of_anything(text):
    found = Holder.parse(text)

    assert found is None or found.text == text


@pytest.mark.parametrize(
    "shell", [["dash"], ["bash", "--posix"], ["busybox", "ash"], ["mksh"]], ids=lambda shell: shell[0]
)
def test_the_scripts_agree_on_what_a_value_is(shell):
    """nodes.sh and survey.py have the same two rules; and a value is what echo prints."""
    require_program(shell[0], f"apt-get install {shell[0]}")
    texts = [
        "ondemand",
        "1 2 3",
        "-5",
        "-n",
        "-e x",
        "-",
        "--",
        "a\\nb",
        "",
        " ",
        "a\tb",
        "85 1500000:90",
        "é",
        "0.5,1",
    ]
    texts += ["x" * 200, "x" * 201, "a+b", "a-b", "a/b", "a*", "a'b", 'a"b', "a;b", "<unsupported>", "a_b"]
    nodes = ["screen", "screen/x", "sys/class/hwmon/hwmon2/pwm1", "sys/class/hwmon/hwmonx/pwm1", "sys/x"]
    nodes += [f"sys/{CPUFREQ}/policy0/a", f"sys/{CPUFREQ}/../../a", "setting/global/adb_enabled"]
    script = "".join((SCRIPTS / f"{part}.sh").read_text() for part in ("common", "nodes"))
    script += 'for text; do if is_value "$text"; then echo "value $text"; fi; done\n'
    script += 'for text; do if is_node "$text"; then echo "node $text"; fi; done\n'

    argv = [*shell, "-c", script, "sh", "/nowhere", "/nowhere", "/nowhere", *texts, *nodes]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    expected = [f"value {text}" for text in (*texts, *nodes) if is_value(text)]
    expected += [f"node {text}" for text in (*texts, *nodes) if is_node(text)]
    assert done.stdout.splitlines() == expected
