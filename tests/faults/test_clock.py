"""A device whose wall clock jumps by years while it is measured: nothing is measured or decided by that clock.

How garbage is collected then is in tests/deploy/test_two_hosts.py.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.deploy.deployment import rollback
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Transport
from tests.faults.conftest import Campaign
from tests.faults.consistency import check_store
from tests.faults.faulty import Faulty


@pytest.fixture
def jumping(tmp_path: Path) -> Faulty:
    """Every program on it is told that it is another year."""
    library = tmp_path / "jumping_clock.so"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-o", library, source], check=True)
    device = Faulty()
    device.wrap = lambda argv: ("env", f"LD_PRELOAD={library}", *argv)
    return device


def test_a_clock_that_jumps_changes_nothing(
    jumping: Faulty,
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    store: Store,
    home: Path,
    directory: PurePosixPath,
):
    said = jumping.run(("date", "+%Y"), timeout_s=10).stdout.strip()
    assert said != str(datetime.now(UTC).year).encode()
    board(jumping)
    began = datetime.now(UTC)
    for number in range(3):
        model(number)
        campaign_id = run(plan(name=f"model {number}"))
        check_store(home)
        tables = campaign_tables(store, campaign_id)
        assert list(tables.jobs["status"]) == ["ok"]
        # Each launch on its own clock, which no jump can take out of the few seconds that it took.
        spans = tables.samples.groupby("launch_id")["start_ns"].agg(lambda starts: starts.max() - starts.min())
        assert spans.max() < (datetime.now(UTC) - began).total_seconds() * 1e9
        assert set(tables.launches["started_at"].str[:10]) <= {
            began.date().isoformat(),
            datetime.now(UTC).date().isoformat(),
        }
    rollback(jumping, directory, "dense.tflite")
