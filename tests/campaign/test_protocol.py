"""What a campaign does around its rounds: A/A copies, sensors, operators, accelerators, verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import launching
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.tables import campaign_tables, job_summary
from pocketbench.harness.measure.assessment import assess_launch
from pocketbench.harness.measure.validity import Conditions
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.store.store import Store
from tests.campaign.conftest import Campaign

Make = Callable[..., Plan]
ALL = {"aa_copy": True, "sensors": True, "profile": True}


def test_the_reference_is_launched_twice_a_round_and_its_difference_is_the_noise_floor(
    plan: Make, run: Campaign, store: Store
):
    tables = campaign_tables(store, run(plan(rounds=3, threads=[1, 2], **ALL)))

    copies = tables.jobs[tables.jobs["is_aa_copy"]]
    assert list(copies["threads"]) == [1, 2]
    assert not copies["is_reference"].any()
    assert set(tables.memory["job_id"]).isdisjoint(copies["job_id"])
    launches = tables.launches["job_id"].value_counts()
    assert set(launches) == {3}
    estimates = tables.estimates.set_index("job_id")
    others = tables.jobs[~tables.jobs["is_reference"] & ~tables.jobs["is_aa_copy"]]
    assert set(estimates.loc[others["job_id"], "verdict"]) <= {"difference", "none found"}
    assert estimates.loc[tables.jobs.loc[tables.jobs["is_reference"], "job_id"], "verdict"].isna().all()


def test_without_a_copy_nothing_is_called_a_difference(plan: Make, run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(rounds=3)))

    (verdict,) = tables.estimates["verdict"].dropna()
    assert verdict == "cannot say"


def test_sensors_are_read_during_every_launch_and_their_cost_is_known(plan: Make, run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(**ALL)))

    (device,) = tables.devices.to_dict("records")
    told = json.loads(device["sensors"])
    assert {"cpu-load", "memory"} <= {one["sensor"] for one in told["sensed"]}
    assert all(one["reason"] for one in told["absent"])
    assert device["sampler_ratio"] > 0
    assert device["rounds_ended"] == "rounds"
    ok = tables.launches[tables.launches["status"] == "ok"]
    assert set(tables.traces["launch_id"]) == set(ok["launch_id"])
    assert {"memory_bytes", "cpu_busy_ticks"} <= set(tables.traces["quantity"].astype(str))


def test_without_sensors_nothing_is_sensed(plan: Make, run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(**{**ALL, "sensors": False})))

    assert tables.traces.empty
    assert tables.devices["sensors"].isna().all()


def test_every_job_has_the_times_of_its_operators(plan: Make, run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(**ALL)))

    originals = tables.jobs.loc[~tables.jobs["is_aa_copy"], "job_id"]
    assert set(tables.operators["job_id"]) == set(originals)
    shares = tables.operators.groupby("job_id")["share"].sum()
    assert all(share == pytest.approx(1) or share == 0 for share in shares)


def test_an_adaptive_campaign_says_how_its_rounds_ended(plan: Make, run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(rounds=None, precision=0.5)))

    (campaign,) = tables.campaign.to_dict("records")
    assert (campaign["precision"], campaign["rounds_planned"], campaign["confidence"]) == (0.5, 30, 0.9675)
    (ended,) = tables.devices["rounds_ended"]
    assert ended in ("reached", "rounds")
    if ended == "reached":
        assert campaign["rounds_done"] < 30


def test_an_invalid_launch_is_kept_with_its_reasons_and_repeated(
    plan: Make, run: Campaign, store: Store, monkeypatch: pytest.MonkeyPatch
):
    seen: list[int] = []
    real = assess_launch

    def assess(samples, regime, conditions: Conditions, **signs):
        seen.append(len(samples))
        spoilt = replace(conditions, under_voltage=len(seen) == 2)
        return real(samples, regime, spoilt, **signs)

    monkeypatch.setattr("pocketbench.harness.campaign.judging.assess_launch", assess)
    tables = campaign_tables(store, run(plan(**{**ALL, "aa_copy": False})))

    (invalid,) = tables.launches[tables.launches["status"] == "invalid"].to_dict("records")
    assert invalid["reason"] == "under_voltage"
    again = tables.launches[
        (tables.launches["job_id"] == invalid["job_id"]) & (tables.launches["round"] == invalid["round"])
    ]
    assert list(again["status"]) == ["invalid", "ok"]
    assert list(again["attempt"]) == [0, 1]
    assert invalid["launch_id"] in set(tables.samples["launch_id"])
    assert (tables.launches["status"] == "ok").sum() == 4
    assert set(tables.jobs["status"]) == {"ok"}


def test_an_accelerator_is_a_job_of_its_own_and_its_fallback_a_flag(
    plan: Make, run: Campaign, store: Store, files: tuple[Path, Path]
):
    tables = campaign_tables(store, run(plan(variants=files[:1], accelerators=["cpu", "gpu"])))

    gpu = tables.jobs[tables.jobs["accelerator"] == "gpu"]
    assert len(tables.jobs) == 2
    assert gpu["reference_job_id"].item() == tables.jobs.loc[tables.jobs["is_reference"], "job_id"].item()
    launches = tables.launches[tables.launches["job_id"] == gpu["job_id"].item()]
    assert (~launches["fully_accelerated"]).all()  # this computer's package has no GPU: all of it fell back
    assert all("partly_accelerated" in flags for flags in launches["flags"])
    assert len(job_summary(tables)) == 2


def test_a_fallback_fails_where_the_accelerator_is_required(
    plan: Make, run: Campaign, store: Store, files: tuple[Path, Path]
):
    wanted = plan(variants=files[:1], accelerators=["gpu"], require_accelerator=True)

    tables = campaign_tables(store, run(wanted))

    assert set(tables.launches["status"]) == {"failed"}
    assert tables.launches["reason"].str.contains("to run on gpu, got a part of it on the CPU").all()


def test_an_accelerator_that_no_engine_has_is_refused(plan: Make, run: Campaign, files: tuple[Path, Path]):
    with pytest.raises(InputError, match="expected an accelerator of LiteRT, got 'nnapi'"):
        run(plan(variants=files[:1], accelerators=["cpu", "nnapi"]))


def test_an_engine_that_does_not_tell_cannot_be_required_to(plan: Make, run: Campaign, files: tuple[Path, Path]):
    with pytest.raises(InputError, match="expected no 'require_accelerator' with xnnpack, since ONNX Runtime does not"):
        run(plan(variants=files[1:], accelerators=["cpu", "xnnpack"], require_accelerator=True))


def test_memory_and_quality_are_those_of_the_accelerator(
    plan: Make,
    run: Campaign,
    store: Store,
    files: tuple[Path, Path],
    evaluation: str,
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[tuple[str, str]] = []
    real = Runner._argv

    def argv(self: Runner, mode: str, arguments: Sequence[str]) -> tuple[str, ...]:
        asked.append((mode, "gpu" if "gpu" in arguments else "cpu"))
        return real(self, mode, arguments)

    monkeypatch.setattr(Runner, "_argv", argv)
    wanted = plan(variants=files[:1], accelerators=["cpu", "gpu"], data={"evaluation": evaluation})
    tables = campaign_tables(store, run(wanted))

    assert len(tables.quality) == 2
    assert {("memory", "cpu"), ("memory", "gpu"), ("infer", "cpu"), ("infer", "gpu")} <= set(asked)


def test_launches_wait_for_the_start_line(plan: Make, run: Campaign, store: Store, monkeypatch: pytest.MonkeyPatch):
    """It idles at 40 degrees, so the line is at 45; the first launch finds it at 60."""
    temperatures = iter([40.0, *[60.0, 55.0, 50.0, 46.0], *[44.0] * 100])
    monkeypatch.setattr(launching, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(
        "pocketbench.harness.campaign.sensing.DeviceSensors.temperature", lambda self, transport: next(temperatures)
    )

    tables = campaign_tables(store, run(plan(**ALL)))

    assert tables.devices["start_line_c"].item() == 45
    launches = tables.launches.sort_values("launch_id")
    assert launches["temperature_start_c"].tolist()[0] == 46.0
    assert set(launches["temperature_start_c"].tolist()[1:]) == {44.0}
    assert not launches["flags"].str.contains("hot_start").any()
