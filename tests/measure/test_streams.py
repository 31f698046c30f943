"""What several streams do together, from samples whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from pocketbench.harness.measure.streams import common_window, last_minute_ratio, throughput_per_s, within
from pocketbench.harness.runner.results import SAMPLE_DTYPE
from pocketbench.harness.sensors.energy import Window

MS, S = 10**6, 10**9


def stream(first_ns, latencies_ns, *, warmup=0, pause_ns=0):
    """Inferences that follow each other after `pause_ns`."""
    samples = np.zeros(len(latencies_ns), SAMPLE_DTYPE)
    samples["latency_ns"] = latencies_ns
    samples["start_ns"] = first_ns + np.concatenate([[0], np.cumsum(np.asarray(latencies_ns)[:-1] + pause_ns)])
    samples["steady"] = np.arange(len(latencies_ns)) >= warmup
    return samples


def test_the_common_window_is_from_the_last_start_to_the_first_end():
    early = stream(0, [10] * 10, warmup=1)  # measures from 10 to 100
    late = stream(35, [20] * 10, warmup=1)  # measures from 55 to 235

    assert common_window([early, late]) == Window(55, 100)


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param([stream(0, [10] * 3), stream(30, [10] * 3)], id="one after the other"),
        pytest.param([stream(0, [10] * 3), stream(0, [10] * 3, warmup=3)], id="one is all warm-up"),
    ],
)
def test_streams_that_never_measure_at_once_have_no_common_window(streams):
    assert common_window(streams) is None


def test_what_lies_in_a_window_by_a_part_is_not_in_it():
    assert within(stream(0, [10] * 5), Window(15, 40)).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize("offset_ns", [0, 3 * MS, 7 * MS])
def test_throughput_does_not_depend_on_where_the_window_cuts(offset_ns):
    """10 and 25 ms an inference: 100 and 40 a second, however few are whole."""
    streams = [stream(offset_ns, [10 * MS] * 30), stream(0, [25 * MS] * 5)]
    window = common_window(streams)

    assert window is not None
    assert throughput_per_s(streams, window) == pytest.approx(140)


def test_a_paced_streams_throughput_is_its_pace():
    """An inference of 3 ms every 33 ms; counting those that ended would say 30.4 of a second's 30.3."""
    samples = stream(0, [3 * MS] * 20, pause_ns=30 * MS)
    window = common_window([samples])

    assert window is not None
    assert throughput_per_s([samples], window) == pytest.approx(1000 / 33)


def test_of_a_stream_with_one_inference_in_the_window_nothing_is_known():
    assert throughput_per_s([stream(0, [10] * 9), stream(0, [90])], Window(0, 90)) is None


def test_the_last_minute_against_the_first():
    """Ten minutes that get slower by a tenth each, the warm-up among them."""
    minutes = [np.full(round(60 * S / latency), round(latency)) for latency in 50 * MS * 1.1 ** np.arange(10)]
    samples = stream(0, np.concatenate(minutes), warmup=1000)

    assert last_minute_ratio(samples) == pytest.approx(1.1**9, rel=1e-6)


@pytest.mark.parametrize("count", [0, 1, 118])
def test_under_two_minutes_there_is_no_ratio(count):
    assert last_minute_ratio(stream(0, np.full(count, S))) is None


def test_a_ratio_of_two_minutes():
    assert last_minute_ratio(stream(0, [S] * 60 + [2 * S] * 30)) == 2.0


def test_two_minutes_but_for_the_inference_that_did_not_fit():
    """A paced launch: its last inference began a thousandth of a second before the end."""
    assert last_minute_ratio(stream(0, [MS] * 120_000)[:-1]) == 1.0


def test_an_inference_of_minutes_has_no_last_minute():
    assert last_minute_ratio(stream(0, [200 * S])) is None
