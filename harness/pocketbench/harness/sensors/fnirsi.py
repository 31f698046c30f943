"""Packets of FNIRSI USB meters: FNB48, FNB48S, FNB58, C1.

The maker documents nothing; what is here was found by github.com/baryluk/fnirsi-usb-power-data-logger, CRC included.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["SAMPLES_PER_S", "FnirsiSample", "checksum", "decode_packet"]

SAMPLES_PER_S = 100
_PACKET_BYTES = 64
_START, _DATA = 0xAA, 0x04
_SAMPLES, _SAMPLE_BYTES = 4, 15
# width 8, no reflection, no final exclusive or
_POLYNOMIAL, _INITIAL = 0x39, 0x42
# voltage, current, D+, D-, one byte of unknown meaning, temperature
_LAYOUT = struct.Struct("<IIHHBH")
_MOST_V, _MOST_A = 150.0, 20.0


@dataclass(frozen=True, slots=True)
class FnirsiSample:
    """One of the four of a packet, 10 ms apart. The current has no direction."""

    voltage_v: float
    current_a: float
    temperature_c: float

    @property
    def power_w(self) -> float:
        """Voltage times current."""
        return self.voltage_v * self.current_a


def checksum(data: bytes) -> int:
    """CRC-8 with the polynomial 0x39, from 0x42 on."""
    crc = _INITIAL
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL) & 0xFF if crc & 0x80 else crc << 1 & 0xFF
    return crc


# aa 04, four times (voltage u32 / 100000 V, current u32 / 100000 A, D+ u16 mV, D- u16 mV, u8, temperature u16 / 10 C),
# one byte of unknown meaning, CRC over all but the first byte and itself. Little endian.
def decode_packet(packet: bytes) -> tuple[FnirsiSample, ...] | None:
    """The four samples; empty for a packet of another kind; None for a damaged one."""
    if len(packet) != _PACKET_BYTES or packet[0] != _START or checksum(packet[1:-1]) != packet[-1]:
        return None
    if packet[1] != _DATA:
        return ()
    samples = []
    for index in range(_SAMPLES):
        fields = _LAYOUT.unpack_from(packet, 2 + index * _SAMPLE_BYTES)
        sample = FnirsiSample(fields[0] / 100_000, fields[1] / 100_000, fields[5] / 10)
        if sample.voltage_v > _MOST_V or sample.current_a > _MOST_A:
            return None
        samples.append(sample)
    return tuple(samples)
