"""No bytes make a parser raise, and none that are not what the sensor prints make it say a number."""

from __future__ import annotations

import contextlib
import math
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors import odpm
from pocketbench.harness.sensors.catalogue import PATTERNS, PROGRAMS, discover
from pocketbench.harness.sensors.external_meter import parse_line
from pocketbench.harness.sensors.fnirsi import checksum, decode_packet
from pocketbench.harness.sensors.listing import Listing, parse_listing
from pocketbench.harness.sensors.monsoon import means_of
from pocketbench.harness.sensors.readings import QUANTITIES, Parser
from pocketbench.harness.sensors.traces import Record, traces_of
from tests.checkup.phones import BATTERY, THERMAL
from tests.sensors.captures import (
    ODPM,
    PMIC,
    STAT,
    TIME_IN_STATE,
    jetson_listing,
    listing_of,
    pi_5_listing,
    pixel_listing,
    rapl_listing,
)

SPECS = [
    spec
    for listing in (pi_5_listing(), pixel_listing(), jetson_listing(), rapl_listing(), listing_of({}, "cmd", "dumpsys"))
    for spec in discover(listing).specs
]
# One of each kind: what they print, by the end of their key.
CAPTURES = {
    "energy_value": ODPM,
    "pmic_read_adc": PMIC,
    "/proc/stat": STAT,
    "/proc/loadavg": "0.05 0.08 0.01 1/187 2211\n",
    "/proc/meminfo": "MemTotal: 8 kB\nMemAvailable: 7 kB\nSwapTotal: 2 kB\nSwapFree: 1 kB\n",
    "time_in_state": TIME_IN_STATE,
    "thermalservice": THERMAL,
    "dumpsys battery": BATTERY,
    "measure_temp": "temp=39.5'C\n",
    "get_throttled": "throttled=0x50005\n",
    "measure_clock arm": "frequency(48)=2000478464\n",
    "measure_volts core": "volt=0.7200V\n",
    "current_now": "-342812\n",
    "/status": "Discharging\n",
    "/temp": "48312\n",
    "scaling_cur_freq": "1800000\n",
    "curr1_input": "904\n",
    "energy_uj": "193128391\n",
}
PARSERS: dict[str, tuple[Parser, str]] = {
    ending: (next(node.parse for spec in SPECS for node in spec.nodes if node.key.endswith(ending)), text)
    for ending, text in CAPTURES.items()
}
EVERY = pytest.mark.parametrize(("parse", "capture"), [pytest.param(*PARSERS[name], id=name) for name in PARSERS])


@EVERY
@settings(max_examples=40)
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
@example(data=b"")
@example(data=b"\xff\n" * 300)
@example(data="٣٤\n".encode())
def test_bytes_of_any_kind_are_readings_or_reasons(parse: Parser, capture: str, data: bytes):
    for reading in parse(data):
        facts = QUANTITIES[reading.quantity]
        if reading.value is None:
            assert reading.reason
            assert reading.reason.isprintable()
        else:
            assert facts.lowest <= reading.value <= facts.highest


@EVERY
@settings(max_examples=40)
@given(data=st.data())
def test_a_capture_with_one_damaged_byte_gives_no_impossible_number(parse: Parser, capture: str, data):
    damaged = bytearray(capture.encode())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    for reading in parse(bytes(damaged)):
        facts = QUANTITIES[reading.quantity]
        assert reading.value is None or facts.lowest <= reading.value <= facts.highest


@EVERY
@settings(max_examples=40)
@given(words=st.lists(st.text("abcdefghijklmnopqrsuvwxyzABCDEFGH -_:/.[]{}%\n\t", max_size=30), max_size=10))
def test_prose_is_no_number(parse: Parser, capture: str, words):
    assert all(reading.value is None for reading in parse(" ".join(words).encode()))


@EVERY
@pytest.mark.parametrize(
    "garbage",
    [
        "nan\n",
        "inf\n",
        "-inf\n",
        "1e5\n",
        "0x10\n",
        "1_000\n",
        "12 34\n",
        "12abc\n",
        "1.5.2\n",
        "--5\n",
        "９９\n",
        "Permission denied\n",
        'error=1 error_msg="Command not registered"\n',
        "VCHI initialization failed\n",
        "Can't find service: battery\n",
        "99999999999999999999999999\n",
        "\0\0\0\0",
    ],
)
def test_what_is_nearly_a_number_is_none(parse: Parser, capture: str, garbage: str):
    assert all(reading.value is None for reading in parse(garbage.encode()))


@given(cut=st.integers(0, len(ODPM) - 1))
def test_a_torn_list_of_counters_has_no_torn_counter(cut: int):
    """Half of 30203502 is a number too."""
    whole = {reading.source: reading.value for reading in odpm.parse(ODPM.encode())}

    for reading in odpm.parse(ODPM[:cut].encode()):
        assert reading.value is None or reading.value == whole[reading.source]


@given(data=st.binary(max_size=600))
def test_a_listing_of_any_bytes_names_only_what_was_asked_for(data: bytes):
    mark = "mark"
    body = data.replace(b"/", b"\nmark file /").replace(b"p", b"/sys/class/thermal/thermal_zone0/temp\n")

    listing = parse_listing(body + b"mark end\n", mark, PATTERNS, PROGRAMS)

    assert listing is not None
    for path in (*listing.files, *listing.denied):
        assert re.fullmatch(r"/(proc|sys)/[A-Za-z0-9_.:/-]+", path)
        assert ".." not in path
    assert listing.programs <= set(PROGRAMS)


@given(contents=st.lists(st.binary(max_size=30), min_size=10, max_size=10))
def test_discovery_survives_files_of_any_content(contents: list[bytes]):
    for listing in (pi_5_listing(), pixel_listing(), jetson_listing(), rapl_listing()):
        files = {path: contents[index % len(contents)] for index, path in enumerate(listing.files)}
        found = discover(Listing(files, {}, listing.programs))
        names = [spec.name for spec in found.specs]
        assert len(names) == len(set(names))


@given(packet=st.binary(min_size=64, max_size=64) | st.binary(max_size=70))
def test_a_packet_without_its_checksum_is_none(packet: bytes):
    good = len(packet) == 64 and packet[0] == 0xAA and checksum(packet[1:-1]) == packet[-1]

    assert decode_packet(packet) is None or good


@given(body=st.binary(min_size=61, max_size=61))
def test_a_packet_with_a_checksum_has_possible_values(body: bytes):
    packet = b"\xaa\x04" + body
    samples = decode_packet(packet + bytes([checksum(packet[1:])]))

    assert samples is None or all(0 <= sample.voltage_v <= 150 and 0 <= sample.current_a <= 20 for sample in samples)


@given(line=st.binary(max_size=60) | st.from_regex(rb"[0-9.,eE+-]{1,30}", fullmatch=True))
@example(line=b"1.0,nan")
@example(line=b"1.0,1e99")
@example(line=b"12.340,3.1875")
def test_a_line_of_a_meter_is_a_sample_or_our_error(line: bytes):
    with contextlib.suppress(DeviceError):
        sample = parse_line(line)
        assert sample is None or (math.isfinite(sample.time_s) and abs(sample.power_w) <= 100_000)


@given(st.lists(st.lists(st.floats(), max_size=120), max_size=7))
def test_what_a_monsoon_gives_is_checked(channels):
    means = means_of(channels)

    assert means is None or all(abs(sample.power_w) <= 100 for sample in means)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**62), st.integers(0, sum(len(spec.nodes) for spec in SPECS[:6]) - 1), st.binary()),
        max_size=30,
    )
)
def test_records_of_any_kind_make_traces_in_order(items):
    traces = traces_of(SPECS[:6], (Record(*item) for item in items))

    for trace in traces.values():
        assert all(trace.times_ns[1:] > trace.times_ns[:-1])
        assert len(trace) > 0 or trace.reason
