"""A launch that goes wrong is marked with its reason, and the rest of the campaign goes on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pocketbench.harness.campaign import launching
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Transport
from tests.faults.conftest import FAST, Campaign
from tests.faults.consistency import check_store
from tests.faults.faulty import Alter, Faulty, Wrap, started_by

# $! is the runner as soon as it is called like the program (comm has 15 characters: proc(5)).
KILLED = '"$@" & until grep -q ^pocketbench-run /proc/$!/comm; do sleep 0.01; done; kill -9 $!; wait $!'
ALL_BYTES = bytes(range(256))


def answering(change: Callable[[bytes], bytes]) -> Alter:
    return lambda completed: dataclasses.replace(completed, stdout=change(completed.stdout))


@pytest.fixture
def campaign_of(
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Faulty], str]:
    """Three launches on a device, none of which may take longer than 1.5 s."""
    monkeypatch.setattr(launching, "START_TIMEOUT_S", 0.5)

    def campaign_of(device: Faulty) -> str:
        board(device)
        model(0)
        return run(plan(rounds=3, launch={**FAST, "max_time_s": 0.5}))

    return campaign_of


def check_second_failed(campaign_id: str, store: Store, home: Path, reason: str) -> None:
    check_store(home)
    tables = campaign_tables(store, campaign_id)
    assert tables.campaign["status"].iloc[0] == "finished"
    assert list(tables.launches["status"]) == ["ok", "failed", "ok"]
    said = tables.launches["reason"].iloc[1]
    assert re.match(rf"(ssh://)?board:? .*{reason}", said), said
    assert said.isprintable()
    assert tables.jobs["status"].iloc[0] == "partial"
    assert said in tables.jobs["reason"].iloc[0]


@pytest.mark.parametrize(
    ("wrap", "reason"),
    [
        pytest.param(
            started_by("sh", "-c", KILLED, "sh", endless=True),
            r"ended by signal 9 \(SIGKILL\) at stage '\w+': the engine crashed, or the device ran out of memory",
            id="killed",
        ),
        pytest.param(
            started_by("prlimit", "--as=30000000", endless=True),
            r"run: expected memory for \d+ samples, got none",
            id="no memory",
        ),
        pytest.param(started_by(endless=True), r"to finish within 1\.5 s, got no end: stopped it", id="endless"),
    ],
)
def test_a_launch_that_does_not_end_well(
    wrap: Wrap, reason: str, campaign_of: Callable[[Faulty], str], store: Store, home: Path
):
    device = Faulty()
    device.at_launch(2, wrap=wrap)

    check_second_failed(campaign_of(device), store, home, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            lambda stdout: ALL_BYTES * 20_000, "got 5120000 bytes without any event, which begin with", id="instead"
        ),
        pytest.param(
            lambda stdout: stdout.replace(b'"engine_load"', b'"\x1b[31m\xff"'),
            "expected an event of schema",
            id="inside",
        ),
        pytest.param(lambda stdout: stdout[:-1], "bytes of samples", id="end of samples"),
        pytest.param(lambda stdout: stdout[: stdout.index(b'"samples"')], "the last one without its end", id="cut off"),
        pytest.param(lambda stdout: b"", "got 'no event': it is truncated", id="nothing"),
    ],
)
def test_a_launch_that_answers_nonsense(
    change: Callable[[bytes], bytes], reason: str, campaign_of: Callable[[Faulty], str], store: Store, home: Path
):
    device = Faulty()
    device.at_launch(2, alter=answering(change))

    check_second_failed(campaign_of(device), store, home, reason)


def test_megabytes_of_noise_before_our_json_are_skipped(campaign_of: Callable[[Faulty], str], store: Store, home: Path):
    device = Faulty()
    device.at_launch(2, alter=answering(lambda stdout: ALL_BYTES * 20_000 + b"\n" + stdout))

    tables = campaign_tables(store, campaign_of(device))

    check_store(home)
    assert list(tables.launches["status"]) == ["ok"] * 3
    assert list(tables.jobs["status"]) == ["ok"]
