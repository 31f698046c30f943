"""A device may say anything: rows stay short lines of printable text, and every question gets its own."""

from __future__ import annotations

import pytest

from pocketbench.harness.checkup.rows import ok, warning
from tests.checkup.boards import common_commands, pi_commands, pi_files, scripts
from tests.checkup.fake_device import FakeDevice, rows_of
from tests.checkup.phones import phone_commands, phone_files

ANSWERS = {
    "nothing": "",
    "noise": "\x00\x1b]0;title\x07\x1b[31m" + "garbage " * 50_000,
    "one endless line": "9" * 2_000_000,
    "not UTF-8": b"\xff\xfe\x80temp=\xff",
    "markup": "[red]<script>alert(1)</script>[/red]\n" * 100,
    "huge numbers": "cpu  9999999999999999999 0 0 0 0 0 0 0 0 0\nMemAvailable: 999999999999999 kB\nMemTotal: 0 kB\n",
    "negative numbers": "-1\n-1 -1 -1\nlevel: -1\n",
    "marks": "pocketbench-0123456789abcdef file /x\npocketbench-0123456789abcdef rate 1 1 0\n",
    "tiny times": "0.00 0.00\n0.000000000\n0.00 0.00\n0.000000000\n",
}


def all_rows(answer, profile, *, code=0):
    phone = profile != "raspberry-pi-5"
    known = {**phone_commands(), **pi_commands()} if phone else {**common_commands(), **pi_commands()}
    commands = dict.fromkeys(known, (code, answer, answer))
    text = answer if isinstance(answer, str) else answer.decode(errors="replace")
    files = dict.fromkeys(phone_files() if phone else pi_files(), text)
    device = FakeDevice(files, commands, dict.fromkeys(scripts(), (code, answer, answer)))
    return rows_of(device, profile)


@pytest.mark.parametrize("profile", ["raspberry-pi-5", "generic-android", "this-computer"])
@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_a_device_says(answer, code, profile):
    rows = all_rows(answer, profile, code=code)

    assert {"reachable", "clock", "load", "memory", "temperature", "storage", "executable directory"} <= set(rows)
    for row in rows.values():
        assert "asking failed" not in row.found, row
        for text in (row.question, row.found, row.remedy or ""):
            assert text.isprintable()
            assert len(text) <= 601


def test_a_file_with_a_hostile_name():
    path = "/sys/devices/system/cpu/cpufreq/policy\x1b[31m0/scaling_governor"
    rows = rows_of(FakeDevice({**pi_files(), path: "ondemand\n"}, pi_commands(), scripts()), "raspberry-pi-5")

    assert "governor policy [31m0" in rows


def test_a_row_is_one_line_of_printable_text():
    row = warning("screen", "a\x1b[31mb\n\tc" + "d" * 1000, "e\x00f")

    assert row.found.startswith("a [31mb c")
    assert len(row.found) < 610
    assert row.found.endswith("…")
    assert row.remedy == "e f"
    assert ok("screen", "on").remedy is None
