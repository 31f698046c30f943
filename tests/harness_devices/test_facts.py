"""One row of the table "devices": captures are read, anything else is None, and nothing unprintable comes out."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.devices.facts import DeviceFacts, facts_of, read_facts
from pocketbench.harness.devices.parsers import (
    clean_text,
    parse_cpu_list,
    parse_device_tree_texts,
    parse_libc,
    parse_loadavg,
    parse_memory_bytes,
    parse_os_name,
    parse_page_bytes,
    parse_uname,
)
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.reports.tables import COLUMNS
from tests.harness_devices.fake_answers import GALAXY_S24, PI_5, PIXEL_6, Answering, answers

# What a campaign adds: how the device was registered, and what was found out about it while it was measured.
OF_THE_CAMPAIGN = {
    *("device", "address", "profile", "sensors", "start_line_c", "sampler_ratio", "preparation"),
    *("rounds_ended", "unreached"),
}


def test_the_facts_are_the_columns_of_the_report():
    assert {field.name for field in fields(DeviceFacts)} == set(COLUMNS["devices"]) - OF_THE_CAMPAIGN


def test_a_raspberry_pi_5_is_read_in_one_round_trip():
    board = Answering(PI_5)
    assert asdict(read_facts(board)) == {
        "model": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu": "4 x Cortex-A76",
        "cores": 4,
        "memory_bytes": 8256704 * 1024,
        "os": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.12.47+rpt-rpi-2712",
        "architecture": "aarch64",
        "cpu_features": "asimd fphp asimdhp asimddp",
        "governor": "ondemand",
        "load_average_1min": 0.16,
    }
    assert board.calls == 1


def test_a_phone():
    facts = facts_of(answers(PIXEL_6))
    assert (facts.model, facts.os) == ("Google Pixel 6", "Android 14 (API 34)")
    assert facts.cpu == "4 x Cortex-A55 + 2 x Cortex-A76 + 2 x Cortex-X1"
    assert facts.cpu_features == "asimd fphp asimdhp asimddp"  # i8mm is not on all cores
    assert (facts.governor, facts.load_average_1min) == ("sched_pixel", None)
    assert facts_of(answers(GALAXY_S24)).model == "samsung SM-S921B"


def test_a_model_that_begins_with_its_maker_does_not_name_it_twice():
    properties = b"[ro.product.manufacturer]: [OnePlus]\n[ro.product.model]: [ONEPLUS A6003]\n"
    assert facts_of(answers({"properties": properties})).model == "ONEPLUS A6003"


@pytest.mark.parametrize("parts", [{}, dict.fromkeys(PI_5, b""), dict.fromkeys(PI_5, b"\x1b[31m\xff\0: ")])
def test_a_device_that_says_nothing_is_not_guessed(parts):
    assert set(asdict(facts_of(answers({**parts, "tree-model": b""}))).values()) == {None}


def test_noise_of_a_login_and_line_ends_of_a_terminal_do_no_harm():
    noisy = Answering(PI_5, noise=b"Welcome\nto the board\n", newline=b"\r\n")
    assert read_facts(noisy) == facts_of(answers(PI_5))


def test_a_pc_is_called_by_its_firmware_and_placeholders_are_not_a_name():
    assert facts_of(answers({"sys_vendor": b"Dell Inc.\n", "product_name": b"XPS 13\n"})).model == "Dell Inc. XPS 13"
    nothing = {"sys_vendor": b"To Be Filled By O.E.M.\n", "product_name": b"Default string\n"}
    assert facts_of(answers(nothing)).model is None


def test_clusters_with_different_governors_are_both_told():
    lines = "".join(
        f"/sys/devices/system/cpu/cpufreq/policy{n}/scaling_governor {'schedutil' if n else 'performance'}\n"
        for n in (0, 4, 6)
    )
    assert facts_of(answers({"frequencies": lines.encode()})).governor == "performance, schedutil"


def test_this_computer():
    with LocalTransport() as transport:
        facts = read_facts(transport)
    assert facts.cores is not None
    assert facts.cores >= 1
    assert facts.memory_bytes is not None
    assert facts.memory_bytes > 2**24
    assert facts.kernel
    assert facts.architecture


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_cpu_list, "0-3\n", 4),
        (parse_cpu_list, "0,2-3,7\n", 4),
        (parse_cpu_list, "0\n", 1),
        (parse_cpu_list, "", None),
        (parse_cpu_list, "0-99999\n", None),
        (parse_cpu_list, "3-0\n", None),
        (parse_cpu_list, "٣\n", None),
        (parse_cpu_list, "0-9999," * 100_000, None),
        (parse_memory_bytes, "MemTotal:       24684096 kB\nMemFree: 1 kB\n", 24684096 * 1024),
        (parse_memory_bytes, "MemTotal:       24684096\n", None),
        (parse_memory_bytes, "NotMemTotal: 1 kB\n", None),
        (parse_os_name, 'NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "Debian GNU/Linux 12 (bookworm)"),
        (parse_os_name, "PRETTY_NAME=Alpine\n", "Alpine"),
        (parse_os_name, r"PRETTY_NAME='a \"b\" \$c'", 'a "b" $c'),
        (parse_os_name, 'PRETTY_NAME=""\n', None),
        (parse_os_name, "NAME=x\n", None),
        (parse_os_name, 'PRETTY_NAME="\x1b[31mred\x07"\n', "[31mred"),
        (parse_uname, "6.18.44-fc-v595 x86_64\n", ("6.18.44-fc-v595", "x86_64")),
        (parse_uname, "6.1 aarch64 extra\n", None),
        (parse_uname, "\x1b[31m 6.1\n", None),
        (parse_loadavg, "0.16 0.12 0.09 1/234 5678\n", 0.16),
        (parse_loadavg, "nan 0.12 0.09 1/234 5678\n", None),
        (parse_loadavg, "1e9 0 0\n", None),
        (parse_device_tree_texts, "Raspberry Pi 5 Model B Rev 1.0\0", ("Raspberry Pi 5 Model B Rev 1.0",)),
        (parse_device_tree_texts, "raspberrypi,4-model-b\0brcm,bcm2711\0", ("raspberrypi,4-model-b", "brcm,bcm2711")),
        (parse_device_tree_texts, "\0\x1b\0", ()),
        (parse_libc, "glibc 2.36\n", "glibc 2.36"),
        (parse_libc, "ldd (Ubuntu GLIBC 2.31-0ubuntu9.16) 2.31\nCopyright (C) 2020\n", "glibc 2.31"),
        (parse_libc, "ldd (GNU libc) 2.17\n", "glibc 2.17"),
        (parse_libc, "musl libc (aarch64)\nVersion 1.2.4\n", "musl 1.2.4"),
        (parse_libc, "musl libc (x86_64)\n", "musl"),
        (parse_libc, "sh: ldd: not found\n", None),
        (parse_libc, "glibc 2.36; reboot\n", None),
        (parse_page_bytes, "KernelPageSize:       16 kB", 16384),
        (parse_page_bytes, "KernelPageSize: -4 kB", None),
        (clean_text, "a\n\tb\u202e<script>\0" + "c" * 1000, "a b <script> " + "c" * 186),
    ],
)
def test_a_parser(parse, text, expected):
    assert parse(text) == expected


@given(st.text(alphabet=st.characters() | st.sampled_from(":\n\t 0x41processor"), max_size=300))
def test_any_text_gives_only_printable_answers(text):
    for parse in (parse_os_name, clean_text, parse_libc):
        answer = parse(text)
        assert answer is None or (answer.isprintable() and 0 < len(answer) <= 200)
    assert all(answer.isprintable() for answer in parse_device_tree_texts(text))
    for number in (parse_cpu_list(text), parse_memory_bytes(text), parse_loadavg(text), parse_page_bytes(text)):
        assert number is None or number >= 0
