"""Digits follow the interval, every figure has its unit, and a bound that is not 1 never reads as 1."""

from __future__ import annotations

import pytest

from pocketbench.reports.campaign import Interval
from pocketbench.reports.digits import byte_size, instant, quality_change, quality_value, ratio, significant, time_unit
from pocketbench.reports.names import shorten


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval(0.4312, 0.41, 0.452), "0.43× [0.41, 0.45]"),
        (Interval(0.43124, 0.4301, 0.4324), "0.431× [0.430, 0.432]"),
        (Interval(0.95, 0.901, 0.997), "0.950× [0.901, 0.997]"),
        (Interval(1.0095, 0.9997, 1.0193), "1.010× [1.000, 1.019]"),
        (Interval(12.3, 11.0, 13.6), "12.30× [11.00, 13.60]"),
        (Interval(0.355, None, None), "0.355×"),
        (Interval(1.0, 1.0, 1.0), "1.00× [1.00, 1.00]"),
    ],
)
def test_ratio(interval: Interval, expected: str):
    assert ratio(interval) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (102_992, "103 kB"), (3.45e9, "3.45 GB")]
)
def test_byte_size(size: float, expected: str):
    assert byte_size(size) == expected


@pytest.mark.parametrize(
    ("times_ns", "name"), [([5e3], "µs"), ([1.2e6, 9e9], "ms"), ([2e9], "s"), ([], "ms"), ([99_000, 1e9], "µs")]
)
def test_time_unit_shows_the_digits_of_the_smallest(times_ns: list[float], name: str):
    assert time_unit(times_ns).name == name


def test_latency_interval_keeps_the_digits_that_its_width_supports():
    assert time_unit([1e6]).interval(Interval(1_234_567, 1_214_000, 1_255_000)) == "1.23 [1.21, 1.25]"
    assert time_unit([1e6]).interval(Interval(1_234_567, 1_000_000, 1_500_000)) == "1.2 [1.0, 1.5]"


@pytest.mark.parametrize(
    ("metric", "quality", "expected"),
    [
        ("top-1", Interval(0.974, 0.966, 0.98), "97.4 % [96.6, 98.0]"),
        ("top-5", Interval(1.0, None, None), "100.00 %"),
        ("mean-absolute-error", Interval(0.12345, 0.119, 0.128), "0.123 [0.119, 0.128]"),
        ("python:words.accuracy", Interval(0.5, None, None), "0.500"),
    ],
)
def test_quality_value(metric: str, quality: Interval, expected: str):
    assert quality_value(metric, quality) == expected


def test_quality_change_has_a_sign_and_a_unit():
    assert quality_change("top-1", -0.003, Interval(0.97, 0.96, 0.98)) == "−0.3 points"
    assert quality_change("mean-absolute-error", 0.004, Interval(0.12, 0.11, 0.13)) == "+0.004"
    assert quality_change("top-1", 0.0, Interval(0.97, 0.96, 0.98)) == "±0.00 points"


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (1234567, "1,234,567"), (0.00123456, "0.00123"), (-2.5, "−2.50")]
)
def test_significant(value: float, expected: str):
    assert significant(value) == expected


def test_instant_is_in_utc_to_the_minute():
    assert instant("2026-07-25T11:30:12+02:00") == "2026-07-25 09:30 UTC"
    assert instant("2026-07-25T09:30:00") == "2026-07-25 09:30 UTC"
    assert instant("0001-01-01T00:00:00+14:00") == "0001-01-01T00:00:00+14:00"
    assert instant("yesterday") == "yesterday"


def test_shortened_name_is_one_visible_line():
    assert shorten("a\nb\u202ec\u0000", 20) == "a b\ufffdc\ufffd"
    assert shorten("x" * 10_000, 10) == "x" * 9 + "…"
