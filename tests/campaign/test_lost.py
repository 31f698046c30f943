"""Devices that are lost in the middle: what they did is marked, they are waited for, and the others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import lost, reach
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.run import resume_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.errors import CampaignInterruptedError, TransportError
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.campaign.conftest import Campaign


class Fragile(LocalTransport):
    """This computer behind a cable that is pulled at chosen benches: at each for as many calls as are given."""

    def __init__(self, losses: dict[int, int]) -> None:
        super().__init__()
        self._losses = losses
        self._benches = 0
        self._away = 0

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        if self._away > 0:
            self._away -= 1
            raise TransportError("the cable is out")
        if "bench" in argv:
            self._benches += 1
            if self._benches in self._losses:
                self._away = self._losses[self._benches]
                raise TransportError("the cable was pulled")
        return super().run(argv, timeout_s=timeout_s, stdin=stdin)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        if self._away > 0:
            raise TransportError("the cable is out")
        super().push(source, target, mode=mode)


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch, home: Path) -> Callable[[dict[int, int]], None]:
    """Register the device `fragile`, whose connection is lost as told; nobody waits long for it."""
    Registry(home / "devices.yaml").add(
        Device("fragile", "ssh://fragile", "this-computer", PurePosixPath(home / "fragile-device"))
    )
    monkeypatch.setattr(lost, "_ASK_EVERY_S", 0.01)
    monkeypatch.setattr(lost, "_RETURN_WITHIN_S", 0.5)
    real = open_transport

    def lose(losses: dict[int, int]) -> None:
        monkeypatch.setattr(
            reach,
            "open_transport",
            lambda device, **options: Fragile(losses) if device.name == "fragile" else real(device, **options),
        )

    return lose


def test_a_device_that_comes_back_is_taken_up_again(
    plan: Callable[..., Plan], run: Campaign, store: Store, fragile: Callable[[dict[int, int]], None]
):
    fragile({2: 3, 3: 0})  # the second launch is lost, then its second attempt as well

    tables = campaign_tables(store, run(plan(devices=["fragile"])))

    assert tables.campaign["status"].iloc[0] == "finished"
    assert list(tables.jobs["status"]) == ["ok", "ok"]
    lost = tables.launches[tables.launches["status"] == "lost"]
    assert list(lost["reason"]) == ["the cable was pulled"] * 2
    assert lost["latency_median_ns"].isna().all()
    again = tables.launches.merge(lost[["job_id", "round"]].drop_duplicates(), on=["job_id", "round"])
    assert sorted(zip(again["attempt"], again["status"], strict=True)) == [(0, "lost"), (1, "lost"), (2, "ok")]
    assert len(tables.launches) == 4 + 2


def test_a_launch_that_always_loses_the_device_is_left_out(
    plan: Callable[..., Plan], run: Campaign, store: Store, fragile: Callable[[dict[int, int]], None]
):
    fragile({1: 0, 2: 0, 3: 0})

    tables = campaign_tables(store, run(plan(devices=["fragile"])))

    first = tables.launches[tables.launches["round"] == 0]
    assert sorted(first["status"]) == ["failed", "lost", "lost", "ok"]
    assert tables.campaign["status"].iloc[0] == "finished"


def test_a_device_that_stays_away_ends_its_part_only_and_is_resumed(
    plan: Callable[..., Plan], run: Campaign, store: Store, fragile: Callable[[dict[int, int]], None]
):
    fragile({2: 1_000_000})
    wanted = plan(devices=["local", "fragile"], rounds=3)

    with pytest.raises(CampaignInterruptedError, match=r"fragile: expected the device to come back") as caught:
        run(wanted)

    campaign_id = caught.value.campaign_id
    kept = campaign_tables(store, campaign_id)
    assert kept.campaign["status"].iloc[0] == "interrupted"
    by_device = kept.jobs.set_index("job_id")["device"]
    ok = kept.launches[kept.launches["status"] == "ok"]
    assert ok["job_id"].map(by_device).value_counts().to_dict() == {"local": 6, "fragile": 1}

    fragile({})
    assert run(wanted, campaign=resume_campaign) == campaign_id
    tables = campaign_tables(store, campaign_id)
    assert tables.campaign["status"].iloc[0] == "finished"
    assert (tables.launches["status"] == "ok").sum() == 12
    assert (tables.launches["status"] == "lost").sum() == 1


def test_devices_are_measured_side_by_side_and_one_device_never(
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    fragile: Callable[[dict[int, int]], None],
    monkeypatch: pytest.MonkeyPatch,
):
    """Each device's first launch waits for the other's; a second one on a device would find it busy."""
    fragile({})
    both = threading.Barrier(2)
    busy: dict[int, threading.Lock] = {}
    real = Runner.bench
    met: set[int] = set()

    def bench(self, options, timeout_s):
        device = id(self._transport)
        lock = busy.setdefault(device, threading.Lock())
        assert lock.acquire(blocking=False), "two launches on one device at once"
        try:
            if device not in met:
                met.add(device)
                both.wait(timeout=30)
            return real(self, options, timeout_s)
        finally:
            lock.release()

    monkeypatch.setattr(Runner, "bench", bench)

    tables = campaign_tables(store, run(plan(devices=["local", "fragile"])))

    assert len(met) == 2
    assert list(tables.launches["status"]) == ["ok"] * 8


def test_ctrl_c_ends_every_device_at_once(
    plan: Callable[..., Plan], run: Campaign, store: Store, fragile: Callable[[dict[int, int]], None]
):
    fragile({})

    def listener(event):
        if "round 2" in event.message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan(devices=["local", "fragile"], rounds=500), progress=listener)

    (row,) = store.campaigns()
    assert row["status"] == "interrupted"
    assert row["launches"] < 20
    # What was ended with it is done again, and has not failed.
    assert set(campaign_tables(store, row["campaign_id"]).launches["status"]) == {"ok"}


def test_one_device_under_two_names_is_refused(plan: Callable[..., Plan], run: Campaign, store: Store, home: Path):
    Registry(home / "devices.yaml").add(Device("again", "local:", "this-computer", PurePosixPath(home / "again")))

    with pytest.raises(InputError, match="expected different devices, got 'local' and 'again' at the same address"):
        run(plan(devices=["local", "again"]))

    assert store.campaigns() == []
