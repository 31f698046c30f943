"""A board over SSH that loses its power in the middle of a launch, with everything that was on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.store.store import Store
from tests.devices.board import Board
from tests.faults.conftest import FAST
from tests.faults.consistency import check_store
from tests.transports.ssh_client import client_in

# Well inside a launch, which takes thrice that.
_INTO_THE_LAUNCH_S = 0.5


@pytest.fixture
def pi(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """What is written on it is in memory, and gone with its power."""
    client = client_in(tmp_path / "user", monkeypatch)
    with Board(tmp_path / "pi") as board:
        client.configure(f"Host *\n  IdentityFile {board.key_file}\n  IdentitiesOnly yes\n")
        (home / "known_hosts").write_text(board.known_hosts_line())
        address = f"ssh://{board.user}@{board.host}"
        Registry(home / "devices.yaml").add(Device("pi", address, "generic-linux", PurePosixPath("/root/pocketbench")))
        yield board


def test_a_board_that_restarts_is_deployed_to_again(
    pi: Board, model: Callable[[int], Path], plan: Callable[..., Plan], store: Store, home: Path
):
    told: list[str] = []
    is_off = threading.Event()

    def pull_the_plug() -> None:
        pi.kill()
        pi.restore_link()  # nobody is there who could answer, but the cable is
        is_off.set()

    def listen(event: CampaignProgress) -> None:
        told.append(event.message)
        if "round 2" in event.message:
            threading.Timer(_INTO_THE_LAUNCH_S, pull_the_plug).start()
        if "is lost, waiting for it" in event.message:
            assert is_off.wait(30)
            pi.start()

    model(0)
    wanted = plan(devices=["pi"], rounds=3, launch={**FAST, "min_time_s": 3 * _INTO_THE_LAUNCH_S})

    campaign_id = run_campaign(
        wanted, store=store, registry=Registry(home / "devices.yaml"), home=home, progress=listen
    )

    check_store(home)
    tables = campaign_tables(store, campaign_id)
    assert tables.campaign["status"].iloc[0] == "finished"
    assert list(tables.jobs["status"]) == ["ok"]
    by_round = tables.launches.groupby("round")["status"].agg(list).to_dict()
    assert by_round == {0: ["ok"], 1: ["lost", "ok"], 2: ["ok"]}
    assert tables.launches.loc[tables.launches["status"] == "lost", "reason"].iloc[0].startswith("pi: ")
    assert sum("is lost, waiting for it" in message for message in told) == 1
