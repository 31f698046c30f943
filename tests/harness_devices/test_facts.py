"""What a device says of itself: captures are read, anything else is None, and nothing unprintable comes out."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.devices.facts import DeviceFacts, read_facts
from pocketbench.harness.devices.parsers import (
    clean_text,
    parse_cpu_list,
    parse_cpuinfo,
    parse_device_tree_model,
    parse_loadavg,
    parse_memory_bytes,
    parse_os_name,
    parse_uname,
)
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.reports.tables import COLUMNS

CAPTURES = Path(__file__).parent / "captures"
PI5 = (CAPTURES / "cpuinfo-raspberry-pi-5.txt").read_text()
XEON = (CAPTURES / "cpuinfo-xeon.txt").read_text()
# A Tensor GS101 by the part numbers of its cores, with features that the small cores lack.
BIG_LITTLE = "".join(
    f"processor\t: {index}\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
    for index, (part, features) in enumerate(
        [("0xd05", "asimd asimddp")] * 4 + [("0xd0b", "asimd asimddp")] * 2 + [("0xd44", "asimd asimddp i8mm")] * 2
    )
)


class Scripted:
    """A device that consists of files; a command with no answer fails as on a real one."""

    address = "ssh://board"

    def __init__(self, files, commands=None):
        self._files = files
        self._commands = commands or {}

    def run(self, argv, *, timeout_s, stdin=b""):
        answer = self._files.get(argv[1]) if argv[0] == "cat" else self._commands.get(tuple(argv))
        code, out = (1, b"") if answer is None else (0, answer)
        return Completed(tuple(argv), code, out, b"", 0.0)

    def push(self, source, target, *, mode=0o644):
        raise AssertionError("reading facts writes nothing")

    def pull(self, source, target):
        raise AssertionError("reading facts copies nothing")

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


def test_the_facts_are_the_columns_of_the_report():
    assert {field.name for field in fields(DeviceFacts)} == set(COLUMNS["devices"]) - {"device", "address", "profile"}


def test_a_raspberry_pi_5():
    cpufreq = "/sys/devices/system/cpu/cpufreq"
    board = Scripted(
        {
            "/proc/cpuinfo": PI5.encode(),
            "/proc/meminfo": b"MemTotal:        8256704 kB\nMemFree:         7000000 kB\n",
            "/proc/loadavg": b"0.16 0.12 0.09 1/234 5678\n",
            "/etc/os-release": b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
            "/sys/devices/system/cpu/online": b"0-3\n",
            "/sys/firmware/devicetree/base/model": b"Raspberry Pi 5 Model B Rev 1.0\0",
            f"{cpufreq}/policy0/scaling_governor": b"ondemand\n",
        },
        {
            ("uname", "-r", "-m"): b"6.12.47+rpt-rpi-2712 aarch64\n",
            ("ls", "-1", cpufreq): b"ondemand\npolicy0\npolicy\npolicy;reboot\n",
        },
    )
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


def test_a_device_that_says_nothing_is_not_guessed():
    assert set(asdict(read_facts(Scripted({}))).values()) == {None}


def test_a_pc_is_called_by_its_firmware_and_placeholders_are_not_a_name():
    dmi = "/sys/class/dmi/id"
    assert read_facts(Scripted({f"{dmi}/sys_vendor": b"Dell Inc.\n", f"{dmi}/product_name": b"XPS 13\n"})).model == (
        "Dell Inc. XPS 13"
    )
    nothing = {f"{dmi}/sys_vendor": b"To Be Filled By O.E.M.\n", f"{dmi}/product_name": b"Default string\n"}
    assert read_facts(Scripted(nothing)).model is None


def test_clusters_with_different_governors_are_both_told():
    base = "/sys/devices/system/cpu/cpufreq"
    files = {f"{base}/policy{n}/scaling_governor": b"schedutil\n" if n else b"performance\n" for n in (0, 4, 6)}
    phone = Scripted(files, {("ls", "-1", base): b"policy0\npolicy4\npolicy6\n"})
    assert read_facts(phone).governor == "performance, schedutil"


def test_this_computer():
    with LocalTransport() as transport:
        facts = read_facts(transport)
    assert facts.cores is not None
    assert facts.cores >= 1
    assert facts.memory_bytes is not None
    assert facts.memory_bytes > 2**24
    assert facts.kernel
    assert facts.architecture


def test_cpuinfo_of_x86():
    cpu = parse_cpuinfo(XEON)
    assert (cpu.name, cpu.cores) == ("Intel(R) Xeon(R) Processor", 2)
    assert set(cpu.features) >= {"avx2", "fma", "f16c", "avx512f", "avx512_vnni"}
    assert "avx_vnni" not in cpu.features  # avx512_vnni is not avx_vnni


def test_cpuinfo_of_big_and_little_cores_names_them_and_keeps_common_features():
    cpu = parse_cpuinfo(BIG_LITTLE)
    assert cpu.name == "4 x Cortex-A55 + 2 x Cortex-A76 + 2 x Cortex-X1"
    assert (cpu.cores, cpu.features) == (8, ("asimd", "asimddp"))


def test_cpuinfo_of_cores_that_are_not_arm_s_gives_their_numbers():
    text = "processor : 0\nCPU implementer : 0x51\nCPU part : 0x001\n"
    assert parse_cpuinfo(text).name == "1 x implementer 0x51 part 0x1"


@pytest.mark.parametrize("text", ["", "garbage", "\0" * 100, "model name : x\n", "processor : 0\n" * 5000])
def test_cpuinfo_that_is_none(text):
    cpu = parse_cpuinfo(text)
    assert (cpu.name, cpu.cores, cpu.features) == (None, None, ())


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
        (parse_device_tree_model, "Raspberry Pi 5 Model B Rev 1.0\0", "Raspberry Pi 5 Model B Rev 1.0"),
        (parse_device_tree_model, "\0", None),
        (clean_text, "a\n\tb\u202e<script>\0" + "c" * 1000, "a b <script> " + "c" * 186),
    ],
)
def test_a_parser(parse, text, expected):
    assert parse(text) == expected


@given(st.text(alphabet=st.characters() | st.sampled_from(":\n\t 0x41processor"), max_size=300))
def test_any_text_gives_only_printable_answers(text):
    for parse in (parse_os_name, parse_device_tree_model, clean_text):
        answer = parse(text)
        assert answer is None or (answer.isprintable() and 0 < len(answer) <= 200)
    name = parse_cpuinfo(f"processor : 0\nmodel name : {text}").name
    assert name is None or name.isprintable()
    for number in (parse_cpu_list(text), parse_memory_bytes(text), parse_loadavg(text)):
        assert number is None or number >= 0
