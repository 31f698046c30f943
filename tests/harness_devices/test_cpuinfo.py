"""Which cores a device has: captures of phones, boards and PCs, and what no kernel prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.device_profiles.arm_cores import core_name
from pocketbench.device_profiles.core_cluster import CoreCluster
from pocketbench.harness.devices.clusters import Frequencies, core_clusters, parse_frequencies
from pocketbench.harness.devices.cpuinfo import parse_cpuinfo
from tests.devices.raspberry_pi import CPUINFO as PI_4
from tests.harness_devices.fake_answers import CAPTURES, GALAXY_S24, PIXEL_6

XEON = (CAPTURES / "cpuinfo-xeon.txt").read_text()
PIXEL_3 = (CAPTURES / "cpuinfo-pixel-3.txt").read_text()
# Kernel 3.10 of a phone: what the cores are is said once, of whichever core printed it.
OLD_PHONE = """\
Processor\t: AArch64 Processor rev 3 (aarch64)
processor\t: 0
processor\t: 1

Features\t: fp asimd aes pmull sha1 sha2 crc32
CPU implementer\t: 0x41
CPU part\t: 0xd03
Hardware\t: Qualcomm Technologies, Inc MSM8992
"""
CPU = "/sys/devices/system/cpu"


def no_frequencies() -> Frequencies:
    return Frequencies({}, ())


def test_x86_is_named_by_its_kernel():
    cpu = parse_cpuinfo(XEON)
    assert (cpu.name, cpu.cores) == ("Intel(R) Xeon(R) Processor", 2)
    assert set(cpu.features) >= {"avx2", "fma", "f16c", "avx512f", "avx512_vnni"}
    assert "avx_vnni" not in cpu.features  # avx512_vnni is not avx_vnni
    assert core_clusters(cpu.processors, no_frequencies()) == (CoreCluster("Intel(R) Xeon(R) Processor", (0, 1), None),)


def test_a_phone_with_qualcomm_s_own_cores():
    cpu = parse_cpuinfo(PIXEL_3)
    assert (cpu.name, cpu.cores) == ("4 x Kryo 3xx Silver + 4 x Kryo 3xx Gold", 8)
    assert cpu.features == ("asimd", "fphp", "asimdhp")
    assert cpu.serial is None


def test_a_raspberry_pi_4_with_its_serial():
    cpu = parse_cpuinfo(PI_4)
    assert (cpu.name, cpu.serial) == ("4 x Cortex-A72", "10000000abcdef01")


def test_an_old_kernel_gives_features_of_all_and_the_part_of_nobody_in_particular():
    cpu = parse_cpuinfo(OLD_PHONE)
    assert (cpu.name, cpu.cores, cpu.features) == (None, 2, ("asimd",))
    assert core_clusters(cpu.processors, no_frequencies()) == (CoreCluster(None, (0, 1), None),)


def test_cores_in_no_table_give_their_numbers():
    text = "processor : 0\nCPU implementer : 0x51\nCPU part : 0x0ff\n"
    assert parse_cpuinfo(text).name == "1 x implementer 0x51 part 0xff"


@pytest.mark.parametrize("text", ["", "garbage", "\0" * 100, "model name : x\n", "processor : 0\n" * 5000])
def test_what_is_no_cpuinfo(text):
    cpu = parse_cpuinfo(text)
    assert (cpu.name, cpu.cores, cpu.features, cpu.processors) == (None, None, (), ())


@pytest.mark.parametrize(
    ("implementer", "part", "name"),
    [
        (0x41, 0xD0B, "Cortex-A76"),
        (0x51, 0x804, "Kryo 4xx Gold"),
        (0x51, 0x001, "Oryon"),
        (0x48, 0xD40, "Cortex-A76"),  # the same number is a Neoverse-V1 where Arm gives it
        (0x41, 0xD40, "Neoverse-V1"),
        (0x61, 0x023, "M1 Firestorm"),
        (0xC0, 0xAC3, "Ampere-1"),
        (0x41, 0x804, None),
        (0x51, 0xD0B, None),
    ],
)
def test_core_names_by_implementer_and_part(implementer, part, name):
    assert core_name(implementer, part) == name


def clusters(parts):
    cpu = parse_cpuinfo(parts["cpuinfo"].decode())
    return core_clusters(cpu.processors, parse_frequencies(parts["frequencies"].decode()))


def test_three_kinds_of_cores_from_the_slowest_to_the_fastest():
    assert clusters(PIXEL_6) == (
        CoreCluster("Cortex-A55", (0, 1, 2, 3), 1803000, 0x41, 0xD05),
        CoreCluster("Cortex-A76", (4, 5), 2253000, 0x41, 0xD0B),
        CoreCluster("Cortex-X1", (6, 7), 2802000, 0x41, 0xD44),
    )
    assert str(clusters(PIXEL_6)[0]) == "4 x Cortex-A55 up to 1803 MHz"


def test_the_same_core_at_two_frequencies_is_two_clusters():
    assert [(c.core, c.cpus) for c in clusters(GALAXY_S24)] == [
        ("Cortex-A520", (0, 1, 2, 3)),
        ("Cortex-A720", (4, 5)),
        ("Cortex-A720", (6, 7, 8)),
        ("Cortex-X4", (9,)),
    ]


def test_a_policy_for_each_core_is_one_cluster_where_all_are_alike():
    lines = "".join(
        f"{CPU}/cpufreq/policy{n}/related_cpus {n}\n{CPU}/cpufreq/policy{n}/cpuinfo_max_freq 3400000\n"
        for n in range(2)
    )
    (cluster,) = core_clusters(parse_cpuinfo(XEON).processors, parse_frequencies(lines))
    assert (cluster.cpus, cluster.max_khz) == ((0, 1), 3400000)


def test_kernels_before_4_2_say_it_for_each_cpu():
    lines = f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq 1500000\n{CPU}/cpu1/cpufreq/cpuinfo_max_freq 2000000\n"
    assert parse_frequencies(lines).max_khz == {0: 1500000, 1: 2000000}


@pytest.mark.parametrize("value", ["0", "-1", "1e6", "99999999999", "4294967295", "", "2400000 kHz", "\x1b[31m"])
def test_what_is_no_frequency_is_not_known(value):
    assert parse_frequencies(f"{CPU}/cpufreq/policy0/cpuinfo_max_freq {value}\n").max_khz == {}


@pytest.mark.parametrize("text", ["processor : 0\nprocessor : 0\n", "processor : x\n", "processor : 99999\n"])
def test_numbers_that_make_no_sense_give_no_clusters(text):
    assert core_clusters(parse_cpuinfo(text).processors, no_frequencies()) == ()


lines_of_a_kernel = st.lists(
    st.tuples(
        st.sampled_from(["processor", "CPU part", "CPU implementer", "model name", "Features", "Serial", "", "\0"]),
        st.sampled_from([" : ", "\t: ", ":", " ", "\n"]),
        st.sampled_from(["0", "1", "0x41", "0xd0b", "asimd i8mm", "٣"]) | st.text(max_size=20),
    ),
    max_size=40,
)


@given(lines_of_a_kernel)
def test_no_cpuinfo_raises_or_gives_anything_unprintable(lines):
    cpu = parse_cpuinfo("\n".join(map("".join, lines)))
    for text in (cpu.name, cpu.serial, *(processor.core for processor in cpu.processors)):
        assert text is None or (text.isprintable() and text)
    found = core_clusters(cpu.processors, no_frequencies())
    assert len({number for cluster in found for number in cluster.cpus}) in (0, cpu.cores)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([f"{CPU}/cpufreq/policy0/", f"{CPU}/cpu3/cpufreq/", "/etc/"]),
            st.sampled_from(["related_cpus ", "cpuinfo_max_freq ", "scaling_governor ", "x"]),
            st.sampled_from(["0 1 2", "1800000", "99999 1"]) | st.text(max_size=20),
        ),
        max_size=20,
    )
)
def test_no_frequencies_raise_or_give_anything_unprintable(lines):
    found = parse_frequencies("\n".join(map("".join, lines)))
    assert all(10_000 <= khz <= 10_000_000 for khz in found.max_khz.values())
    assert all(name.isprintable() and name for name in found.governors)
