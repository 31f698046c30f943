"""Devices are prepared while a campaign measures on them: what the store says of it, and what is there afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import preparing, reach
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import resume_campaign, run_campaign
from pocketbench.harness.campaign.sensing import DeviceSensors
from pocketbench.harness.campaign.tables import campaign_tables, job_summary
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.errors import CampaignInterruptedError
from pocketbench.harness.preparation.holder import this_holder
from pocketbench.harness.preparation.prepared import Preparation
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.traces import Trace
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.campaign.conftest import Campaign
from tests.preparation.conftest import guardians, wait_until
from tests.preparation.machine import CPUFREQ, FAN, Machine

WORDS = ("governor=performance", "fan=full")
GOVERNOR = f"{CPUFREQ}/policy0/scaling_governor"
# In a process of its own that says each launch that is about to begin.
RUN = """
import sys
from pathlib import Path, PurePosixPath
from pocketbench.harness.campaign import preparing
from pocketbench.harness.campaign.plan import load_plan
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.devices.registry import Registry
from pocketbench.harness.preparation.device_scripts import Place
from pocketbench.harness.store.store import Store
home, directory, sys_root, proc = sys.argv[1], *map(PurePosixPath, sys.argv[3:6])
home = Path(home)
preparing.place_on = lambda device: Place(directory, sys_root, proc)
with Store(home) as store:
    run_campaign(load_plan(Path(sys.argv[2])), store=store, registry=Registry(home / "devices.yaml"), home=home,
                 progress=lambda event: print(event.message, flush=True))
"""


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Machine]]:
    """The kernel's files of the device of that name; no guardian outlives the test."""
    made: dict[str, Machine] = {}

    def machine(name: str) -> Machine:
        if name not in made:
            made[name] = Machine(tmp_path / f"machine of {name}")
        return made[name]

    monkeypatch.setattr(preparing, "place_on", lambda device: machine(device.name).place)
    yield machine
    for one in made.values():
        for process_id in guardians(one):
            os.killpg(process_id, signal.SIGKILL)


@pytest.fixture
def machine(machines: Callable[[str], Machine]) -> Machine:
    return machines("local")


def records(store: Store, device: str = "local") -> list[dict[str, Any]]:
    """What the store says of the last campaign's device."""
    text = store.preparation(store.campaigns()[0]["campaign_id"], device)
    assert text is not None
    found = json.loads(text)
    assert isinstance(found, list)
    return found


def statuses(record: dict[str, Any]) -> dict[str, str]:
    return {setting["name"]: setting["status"] for setting in record["settings"]}


class Meddling(LocalTransport):
    """This computer; `meddle` is called with the number of each launch of a bench, while it runs."""

    def __init__(self, meddle: Callable[[int], None]) -> None:
        super().__init__()
        self._meddle, self._benches = meddle, 0

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        if "bench" in argv:
            self._benches += 1
            self._meddle(self._benches)
        return super().run(argv, timeout_s=timeout_s, stdin=stdin)


@pytest.fixture
def meddle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    def meddle(action: Callable[[int], None]) -> None:
        monkeypatch.setattr(reach, "open_transport", lambda device, **options: Meddling(action))

    return meddle


def test_a_device_is_prepared_for_its_launches_and_put_back(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine
):
    before = machine.all()
    seen: list[str] = []

    def listen(event: CampaignProgress) -> None:
        if event.message.startswith("round"):
            seen.append(f"{machine.read(GOVERNOR)} {machine.read(FAN)}")

    tables = campaign_tables(store, run(plan(prepare=WORDS), progress=listen))

    assert seen == ["performance 255"] * 4
    assert machine.all() == before
    assert guardians(machine) == []
    [record] = records(store)
    assert statuses(record) == {"policy0 governor": "set", "fan": "set"}
    assert (record["changes"], record["problem"]) == ([], None)
    assert {item["status"] for item in record["restoration"]["items"]} == {"restored"}
    assert list(tables.launches["status"]) == ["ok"] * 4
    assert job_summary(tables)[0]["preparation"] == [record]


def test_nothing_is_touched_that_nobody_asked_for(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine
):
    campaign_id = run(plan(rounds=1))

    assert list(machine.preparation.parent.iterdir()) == []
    assert store.preparation(campaign_id, "local") is None


def test_ctrl_c_puts_back_and_the_resumed_campaign_prepares_again(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine
):
    before, wanted = machine.all(), plan(prepare=WORDS)

    def stop(event: CampaignProgress) -> None:
        if "round 2" in event.message:
            assert machine.read(GOVERNOR) == "performance"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop)
    assert machine.all() == before
    [first] = records(store)
    assert first["restoration"] is not None

    run(wanted, campaign=resume_campaign)

    assert machine.all() == before
    kept, second = records(store)
    assert kept == first
    assert second["token"] != first["token"]
    assert second["restoration"]["token"] == second["token"]


def test_ctrl_c_puts_back_devices_side_by_side(
    plan: Callable[..., Plan],
    store: Store,
    home: Path,
    tmp_path: Path,
    machines: Callable[[str], Machine],
    meddle: Callable[[Callable[[int], None]], None],
):
    registry = Registry(home / "devices.yaml")
    for name in ("one", "two"):
        registry.add(Device(name, f"ssh://{name}", "generic-linux", PurePosixPath(tmp_path / f"files of {name}")))
    before = [machines(name).all() for name in ("one", "two")]
    meddle(lambda number: None)
    prepared: set[str] = set()

    def stop(event: CampaignProgress) -> None:
        prepared.update(name for name in ("one", "two") if machines(name).read(GOVERNOR) == "performance")
        if len(prepared) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_campaign(
            plan(devices=["one", "two"], prepare=WORDS, rounds=500),
            store=store,
            registry=registry,
            home=home,
            progress=stop,
        )

    assert [machines(name).all() for name in ("one", "two")] == before
    assert [records(store, name)[0]["problem"] for name in ("one", "two")] == [None, None]
    assert all(records(store, name)[0]["restoration"] for name in ("one", "two"))


def test_after_kill_9_the_resumed_campaign_puts_back_and_completes_the_record(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, tmp_path: Path, machine: Machine
):
    before, wanted = machine.all(), plan(prepare=WORDS, rounds=20)
    (tmp_path / "plan.yaml").write_text(wanted.to_yaml())
    places = (machine.place.directory, machine.sys, machine.proc)
    command = [sys.executable, "-c", RUN, home, tmp_path / "plan.yaml", *places]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    begun = 0
    for line in process.stdout:
        begun += line.startswith("round")
        if begun == 3:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    assert machine.all() != before
    [left] = records(store)
    assert left["restoration"] is None
    # A runner that was just being forked holds the lock until it has become the runner.
    wait_until(lambda: store.campaigns()[0]["status"] == "interrupted", "nobody holds the campaign")

    def stop(event: CampaignProgress) -> None:
        if "round 4" in event.message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(wanted, campaign=resume_campaign, progress=stop)

    assert machine.all() == before
    first, second = records(store)
    assert first["restoration"]["token"] == first["token"] == left["token"]
    assert first["restoration"]["by"] == this_holder(home).text
    assert second["restoration"]["token"] == second["token"]


def test_a_launch_during_which_the_governor_changed_is_invalid_and_repeated(
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    machine: Machine,
    meddle: Callable[[Callable[[int], None]], None],
):
    before = machine.all()
    meddle(lambda number: machine.write(GOVERNOR, "schedutil") if number == 2 else None)

    tables = campaign_tables(store, run(plan(prepare=WORDS)))

    assert [(row.status, row.reason) for row in tables.launches.sort_values("launch_id").itertuples()][:3] == [
        ("ok", pytest.approx(np.nan, nan_ok=True)),
        ("invalid", "governor_changed"),
        ("ok", pytest.approx(np.nan, nan_ok=True)),
    ]
    assert (tables.launches["status"] == "ok").sum() == 4
    [record] = records(store)
    assert [(change["name"], change["instead"]) for change in record["changes"]] == [("policy0 governor", "schedutil")]
    assert machine.all() == before


def test_a_fan_that_the_kernel_set_anew_is_a_mark_and_no_reason(
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    machine: Machine,
    meddle: Callable[[Callable[[int], None]], None],
):
    meddle(lambda number: machine.write(FAN, "125") if number == 2 else None)

    launches = campaign_tables(store, run(plan(prepare=WORDS))).launches.sort_values("launch_id")

    assert (launches["status"] == "ok").all()
    assert ["fan_changed" in flags.split() for flags in launches["flags"]] == [False, True, False, False]


def test_what_cannot_be_set_is_said_and_the_campaign_goes_on(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine
):
    tables = campaign_tables(store, run(plan(prepare=["governor=turbo", "screen=on", "fan=full"])))

    assert (tables.launches["status"] == "ok").all()
    [record] = records(store)
    assert statuses(record) == {"policy0 governor": "not possible", "screen": "not possible", "fan": "set"}


def test_a_device_that_cannot_be_prepared_at_all_is_measured_as_it_is(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine
):
    before = machine.all()
    (machine.proc / "uptime").unlink()  # nothing there would put it back in time

    tables = campaign_tables(store, run(plan(prepare=WORDS)))

    assert (tables.launches["status"] == "ok").all()
    [record] = records(store)
    assert "/proc/uptime" in record["problem"]
    assert record["settings"] == []
    assert machine.all() == before


def test_a_device_that_another_host_has_prepared_is_left_to_it(
    plan: Callable[..., Plan], run: Campaign, store: Store, machine: Machine, tmp_path: Path
):
    (tmp_path / "another home").mkdir()
    other = Preparation(
        LocalTransport(),
        machine.place,
        parse_wanted(WORDS),
        platform="linux",
        holder=this_holder(tmp_path / "another home"),
    )
    other.prepare()
    wanted = plan(prepare=WORDS)

    with pytest.raises(CampaignInterruptedError, match="to be prepared by nobody, got a preparation by"):
        run(wanted)

    assert campaign_tables(store, store.campaigns()[0]["campaign_id"]).launches.empty
    other.restore()
    assert run(wanted, campaign=resume_campaign)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["governer=performance"], "something to prepare, got 'governer=performance'", id="misspelt"),
        pytest.param(["fan=full", "fan=full"], "the fan once", id="twice"),
    ],
)
def test_a_word_that_means_nothing_is_refused_before_anything_is_reached(
    words: list[str], expected: str, plan: Callable[..., Plan]
):
    with pytest.raises(ValueError, match=expected):
        plan(prepare=words)
    with pytest.raises(InputError, match=expected):
        plan().prepared_with(words)


@pytest.mark.parametrize(
    ("fixed_khz", "expected"),
    [
        pytest.param({}, 0.0, id="expected at the highest"),
        pytest.param({"policy0": 1_500_000}, 1.0, id="expected at the fixed one"),
    ],
)
def test_a_fixed_frequency_is_what_is_expected(fixed_khz: dict[str, int], expected: float):
    times_ns = np.array([1, 9])
    ticks = {"1500000": [0.0, 8.0], "2400000": [5.0, 5.0]}
    traces = {
        ("cpu", "residency_ms", f"policy0/{khz}"): Trace(
            "residency_ms", f"policy0/{khz}", times_ns, np.array(values), 8
        )
        for khz, values in ticks.items()
    }

    signs = DeviceSensors(fixed_khz=fixed_khz).signs(traces, None, Window(0, 10), None)

    assert signs.share_at_frequency == expected
    assert signs.conditions.frequency_is_fixed is (True if fixed_khz else None)


def test_a_prepared_campaign_is_replayed(
    plan: Callable[..., Plan],
    store: Store,
    home: Path,
    tmp_path: Path,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(preparing, "place_on", lambda device: machine.place)
    registry, transcript = Registry(home / "devices.yaml"), tmp_path / "bug.jsonl"
    directory = PurePosixPath(home / "device")
    registry.add(Device("replay", f"replay:{transcript}", "generic-linux", directory))
    before = machine.all()

    def run_on(device: str, record: Path | None) -> pd.DataFrame:
        wanted = plan(prepare=WORDS, devices=[device])
        campaign_id = run_campaign(
            wanted, store=store, registry=registry, home=home, progress=lambda event: None, record=record
        )
        return campaign_tables(store, campaign_id).launches[["status", "latency_median_ns"]]

    measured = run_on("local", transcript)
    machine.write(GOVERNOR, "schedutil")  # nobody looks at it
    pd.testing.assert_frame_equal(run_on("replay", None), measured)

    [record] = records(store, "replay")
    assert statuses(record) == {"policy0 governor": "set", "fan": "set"}
    assert record["restoration"] is not None
    machine.write(GOVERNOR, "ondemand")
    assert machine.all() == before
