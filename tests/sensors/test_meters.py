"""Meters on this computer: their bytes, and what happens when they are missing, torn or gone."""

from __future__ import annotations

import struct
import sys
import types

import numpy as np
import pytest

from pocketbench.checked.errors import MissingExtraError
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors.external_meter import ExternalMeter, parse_line
from pocketbench.harness.sensors.fnirsi import FnirsiSample, checksum, decode_packet
from pocketbench.harness.sensors.fnirsi_usb import FnirsiMeter
from pocketbench.harness.sensors.meters import Meter, MeterSample
from pocketbench.harness.sensors.monsoon import MonsoonMeter, means_of


def packet(*samples: tuple[float, float], kind: int = 0x04) -> bytes:
    """As an FNB58 sends it."""
    body = b"".join(
        struct.pack("<IIHHBH", round(volts * 1e5), round(amperes * 1e5), 600, 610, 1, 317) for volts, amperes in samples
    )
    checked = bytes([kind]) + body + b"\x00"
    return b"\xaa" + checked + bytes([checksum(checked)])


GOOD = packet((5.12345, 0.81234), (5.12, 0.8), (5.11, 0.79), (5.1, 0.78))


def test_the_commands_of_the_makers_program_have_this_checksum():
    """The first two commands end in it, which shows the polynomial without a meter."""
    for command, last in ((0x81, 0x8E), (0x82, 0x96), (0x83, 0x9E)):
        assert checksum(bytes([command]) + b"\x00" * 61) == last


def test_four_samples_of_a_packet():
    samples = decode_packet(GOOD)

    assert samples is not None
    assert samples[0] == FnirsiSample(5.12345, 0.81234, 31.7)
    assert [sample.power_w for sample in samples[1:]] == pytest.approx([4.096, 4.0369, 3.978])


def test_another_packet_is_empty_and_a_damaged_one_none():
    assert decode_packet(packet(*[(5, 1)] * 4, kind=0x03)) == ()
    assert decode_packet(GOOD[:10] + b"\x99" + GOOD[11:]) is None
    assert decode_packet(GOOD[:63]) is None
    assert decode_packet(packet(*[(400, 1)] * 4)) is None


class _UsbError(Exception):
    pass


class _Usb:
    """What pyusb offers, of a meter that answers `packets` and then is gone."""

    idVendor, idProduct = 0x2E3C, 0x5558

    def __init__(self, packets: list[bytes]) -> None:
        self.packets = packets
        self.written: list[bytes] = []
        self.detached = self.closed = False
        ends = [
            types.SimpleNamespace(bEndpointAddress=0x83, read=self._read),
            types.SimpleNamespace(bEndpointAddress=0x03, write=self.written.append),
        ]
        self._interfaces = [_Interface(0x08, 0, []), _Interface(0x03, 3, ends)]

    def _read(self, size: int, timeout_ms: int) -> bytes:
        if not self.packets:
            raise _UsbError("[Errno 19] No such device")
        return self.packets.pop(0)

    def get_active_configuration(self) -> list[_Interface]:
        return self._interfaces

    def is_kernel_driver_active(self, number: int) -> bool:
        return number == 3

    def detach_kernel_driver(self, number: int) -> None:
        self.detached = True


class _Interface(list[types.SimpleNamespace]):
    def __init__(self, kind: int, number: int, ends: list[types.SimpleNamespace]) -> None:
        super().__init__(ends)
        self.bInterfaceClass, self.bInterfaceNumber = kind, number


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> _Usb:
    device = _Usb([GOOD, packet(*[(5, 1)] * 4, kind=0x03), b"\xaa" * 64, GOOD])
    core = types.ModuleType("usb.core")
    core.USBError = _UsbError  # type: ignore[attr-defined]
    core.NoBackendError = type("NoBackendError", (Exception,), {})  # type: ignore[attr-defined]
    core.find = lambda idVendor, idProduct: device if idProduct == 0x5558 else None  # type: ignore[attr-defined]
    util = types.ModuleType("usb.util")
    util.dispose_resources = lambda one: setattr(one, "closed", True)  # type: ignore[attr-defined]
    for name, module in (("usb", types.ModuleType("usb")), ("usb.core", core), ("usb.util", util)):
        monkeypatch.setitem(sys.modules, name, module)
    return device


def test_an_fnirsi_meter(usb: _Usb):
    meter: Meter = FnirsiMeter()

    assert usb.detached
    assert [command[:2] for command in usb.written] == [b"\xaa\x81", b"\xaa\x82", b"\xaa\x82"]
    assert [sample.time_s for sample in meter.read()] == [0.0, 0.01, 0.02, 0.03]
    assert meter.read() == (), "another packet takes no time"
    assert meter.read() == (), "a damaged one has its samples missing"
    assert [sample.time_s for sample in meter.read()] == pytest.approx([0.08, 0.09, 0.1, 0.11])
    with pytest.raises(DeviceError, match=r"expected FNIRSI 2e3c:5558 to answer, got: .*No such device.*udev"):
        meter.read()
    meter.close()
    assert usb.closed


def test_no_fnirsi_meter(usb: _Usb):
    sys.modules["usb.core"].find = lambda **ids: None  # type: ignore[attr-defined]

    with pytest.raises(DeviceError, match="plug its PC port in"):
        FnirsiMeter()


@pytest.mark.parametrize(("meter", "module"), [(FnirsiMeter, "usb.core"), (MonsoonMeter, "Monsoon.HVPM")])
def test_a_library_that_is_not_installed_is_named(meter, module, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(MissingExtraError, match=r"pip install 'pocketbench\[meters\]'"):
        meter()


def batch(count: int, milliamperes: float = 500.0) -> list[list[float]]:
    """Of Monsoon's library: every third sample has its packet's time of arrival."""
    times = [10 + (index // 3) * 3 / 5000 for index in range(count)]
    return [times, [milliamperes] * count, [0.0] * count, [0.0] * count, [4.2] * count, [0.0] * count]


def test_means_of_a_monsoon():
    means = means_of(batch(500))

    assert means is not None
    assert len(means) == 10
    assert [sample.power_w for sample in means] == pytest.approx([2.1] * 10)
    assert np.diff([sample.time_s for sample in means]) == pytest.approx([0.01] * 9)
    assert means[-1].time_s == pytest.approx(batch(500)[0][-1] - 24.5 / 5000)


@pytest.mark.parametrize("channels", [[], batch(100)[:4], [[1.0], [1.0, 2.0], [], [], [4.0], []], batch(100, 1e9)])
def test_what_is_no_batch_of_a_monsoon(channels):
    assert means_of(channels) is None


class _Engine:
    def __init__(self, monitor: object) -> None:
        self.dropped = 0
        self.batches = 0

    def ConsoleOutput(self, value: bool) -> None:
        assert value is False

    def periodicStartSampling(self) -> list[list[float]]:
        print("Verifying ready to start up")  # noqa: T201 -- so does the library
        return batch(0)

    def periodicCollectSamples(self, count: int) -> list[list[float]]:
        self.batches += 1
        self.dropped += self.batches == 2
        if self.batches == 3:
            raise _UsbError("[Errno 19] No such device")
        return batch(count)

    def periodicStopSampling(self) -> None:
        raise _UsbError("[Errno 19] No such device")


def test_a_monsoon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    hvpm, engine = types.ModuleType("Monsoon.HVPM"), types.ModuleType("Monsoon.sampleEngine")
    hvpm.Monsoon = lambda: types.SimpleNamespace(setup_usb=lambda: None, closeDevice=lambda: None)  # type: ignore[attr-defined]
    engine.SampleEngine = _Engine  # type: ignore[attr-defined]
    for name, module in (
        ("Monsoon", types.ModuleType("Monsoon")),
        ("Monsoon.HVPM", hvpm),
        ("Monsoon.sampleEngine", engine),
    ):
        monkeypatch.setitem(sys.modules, name, module)

    meter: Meter = MonsoonMeter()

    assert len(meter.read()) == 10
    assert meter.read() == (), "a batch with dropped samples is a gap"
    with pytest.raises(DeviceError, match=r"expected a Monsoon on USB to answer, got: .*No such device"):
        meter.read()
    meter.close()
    assert capsys.readouterr().out == ""


PROGRAM = """
import sys, time
print("# a meter", flush=True)
print("0.0,3.0\\n0.5,3.2", flush=True)
sys.stdout.write("1.0,3"); sys.stdout.flush()
time.sleep(0.2)
print(".25", flush=True)
%s
time.sleep(60)
"""


def collect(meter: ExternalMeter, count: int) -> list[MeterSample]:
    found: list[MeterSample] = []
    while len(found) < count:
        found += meter.read()
    return found


def program(end: str = "") -> list[str]:
    return [sys.executable, "-c", PROGRAM % end]


def test_a_program_of_the_user():
    meter: Meter = ExternalMeter(program(), rate_hz=2.0, boundary="wall")
    try:
        assert isinstance(meter, ExternalMeter)
        assert collect(meter, 3) == [MeterSample(0.0, 3.0), MeterSample(0.5, 3.2), MeterSample(1.0, 3.25)]
        assert meter.boundary == "wall"
    finally:
        meter.close()
    meter.close()


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("sys.exit(3)", "got its end, exit code 3"),
        ("print('0.9,3.0', flush=True)", "time to grow, got 0.9 after 1.0"),
        ("print('watts: 3', flush=True)", "print time_s,watts, got 'watts: 3'"),
        ("sys.stdout.write('1' * 4000); sys.stdout.flush()", "4000 bytes without a line end"),
    ],
)
def test_a_program_that_errs(end, message):
    meter = ExternalMeter(program(end), rate_hz=2.0, boundary="wall")
    try:
        with pytest.raises(DeviceError, match=message):
            collect(meter, 100)
    finally:
        meter.close()


def test_a_program_that_is_not_there():
    with pytest.raises(DeviceError, match="expected the meter's program '/no/such' to start"):
        ExternalMeter(["/no/such"], rate_hz=1.0, boundary="wall")


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        (b"12.340,3.1875", MeterSample(12.34, 3.1875)),
        (b"1,2e-3\r", MeterSample(1, 0.002)),
        (b"", None),
        (b"# x", None),
        (b"-1,-0.5", MeterSample(-1, -0.5)),
    ],
)
def test_lines(line, sample):
    assert parse_line(line) == sample


@pytest.mark.parametrize("line", [b"1;2", b"1,2,3", b"nan,1", b"1,nan", b"1,1e9", b"1, 2", b"time_s,watts", b"1,"])
def test_lines_that_are_none(line):
    with pytest.raises(DeviceError, match="correct the program"):
        parse_line(line)
