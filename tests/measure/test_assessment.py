"""One launch as a whole, from its samples and what happened around it."""

from __future__ import annotations

import numpy as np

from pocketbench.harness.measure.assessment import Assessment, assess_launch
from pocketbench.harness.measure.regimes import BURST, SUSTAINED
from pocketbench.harness.measure.throttle import ThrottleSigns
from pocketbench.harness.measure.validity import Conditions
from pocketbench.harness.runner.results import SAMPLE_DTYPE


def samples(latency_ms: np.ndarray, warmup: int = 10) -> np.ndarray:
    filled = np.zeros(len(latency_ms), SAMPLE_DTYPE)
    filled["latency_ns"] = np.round(latency_ms * 1e6)
    filled["start_ns"] = np.cumsum(filled["latency_ns"]) - filled["latency_ns"]
    filled["steady"][warmup:] = True
    return filled


def noisy(count: int, *, seed: int = 0) -> np.ndarray:
    return 25 * np.exp(np.random.default_rng(seed).normal(0, 0.02, count))


def assess(latency_ms: np.ndarray, conditions: Conditions | None = None, **known: float | bool | None) -> Assessment:
    return assess_launch(samples(latency_ms), BURST, conditions or Conditions(), **known)  # type: ignore[arg-type]


def test_a_good_launch():
    # 3 s of warm-up, then 7 s.
    found = assess(noisy(400), declared_throttling=False, share_at_frequency=1.0)

    assert (found.status, found.reasons, found.flags) == ("ok", (), ())
    assert found.signs == ThrottleSigns(False, False, False)
    assert found.summary is not None
    assert 280 - 15 <= found.summary.iterations <= 280 + 5
    assert found.summary.iterations + found.summary.warmup_iterations == 400
    assert found.steady.sum() == found.summary.iterations
    assert found.median_interval is not None
    assert found.median_interval.low is not None
    assert found.median_interval.low < 25 * 1e6 < (found.median_interval.high or 0)
    assert [mode.share for mode in found.modes] == [1.0]
    assert found.effective_iterations is not None
    assert found.effective_iterations > 200


def test_a_long_warmup_is_not_counted_although_the_runner_ended_it():
    decay = noisy(500) * (1 + 0.5 * np.exp(-np.arange(500) / 60))
    found = assess(decay)

    assert found.status == "ok"
    assert found.summary is not None
    assert found.summary.warmup_iterations > 150
    assert abs(found.summary.median_ns / 25e6 - 1) < 0.01


def test_a_launch_that_never_settles_keeps_what_the_runner_called_steady():
    found = assess(np.linspace(20, 40, 400))

    assert found.status == "ok"
    assert "not_settled" in found.flags
    assert "drift_slower" in found.flags
    assert found.summary is not None
    assert found.summary.warmup_iterations == 10


def test_throttled_and_declared():
    found = assess(noisy(400), declared_throttling=True)

    assert (found.status, found.reasons) == ("invalid", ("throttled",))
    assert found.summary is not None  # shown, not deleted


def test_throttled_by_frequency_and_latency():
    slower = noisy(400) * np.repeat([1.0, 1.3], [300, 100])
    found = assess(slower, share_at_frequency=0.7)

    assert found.signs == ThrottleSigns(None, True, True)
    assert found.reasons == ("throttled",)
    assert "drift_slower" in found.flags


def test_sustained_may_be_throttled():
    found = assess_launch(samples(noisy(3000)), SUSTAINED, Conditions(), declared_throttling=True, least_warmup_s=5.0)

    assert (found.status, found.signs.declared) == ("ok", True)
    assert found.summary is not None
    assert found.summary.warmup_iterations <= 215


def test_two_speeds_are_a_flag():
    found = assess(noisy(400) * np.where(np.random.default_rng(1).random(400) < 0.3, 1.4, 1.0))

    assert found.status == "ok"
    assert "several_speeds" in found.flags
    assert len(found.modes) == 2


def test_a_launch_that_was_cut_short():
    found = assess(noisy(5))  # all of it warm-up

    assert (found.status, found.reasons) == ("invalid", ("no_steady_part",))
    assert (found.summary, found.drift, found.median_interval, found.outliers, found.modes) == (
        None, None, None, None, (),
    )  # fmt: skip
    assert found.flags == ("not_settled", "few_iterations")
    assert assess(np.array([])).reasons == ("no_steady_part",)


def test_the_samples_are_left_as_they_were():
    before = samples(noisy(400))
    after = before.copy()
    assess_launch(after, BURST, Conditions())

    assert (before == after).all()
