"""A campaign is recorded and replayed without its devices: the same figures in the store, and the same failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pandas as pd
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import clock, lost, reach
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.errors import CampaignInterruptedError, TransportError
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.transcript_reader import read_transcript

ORIGINAL = "ssh://board"
# What a replay cannot say as it was: when it ran, where the device was, and how rows are numbered.
NOT_REPLAYED = {"campaign_id", "started_at", "finished_at", "address", "device", "key", "failed_at"}


class Troubled(LocalTransport):
    """This computer as a board: some benches kill the runner, some lose the device for so many calls."""

    address = ORIGINAL

    def __init__(self, kill: Sequence[int] = (), lose: dict[int, int] | None = None) -> None:
        super().__init__()
        self._kill, self._lose = kill, lose or {}
        self._benches = self._away = 0

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        if self._away > 0:
            self._away -= 1
            raise TransportError("the cable is out")
        if "bench" in argv:
            self._benches += 1
            if self._benches in self._lose:
                self._away = self._lose[self._benches]
                raise TransportError("the cable was pulled")
            if self._benches in self._kill:
                return super().run(("sh", "-c", "kill -9 $$"), timeout_s=timeout_s)
        return super().run(argv, timeout_s=timeout_s, stdin=stdin)


@pytest.fixture
def recorded(
    home: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Plan, LocalTransport], str | CampaignInterruptedError]:
    """Run a plan on the device `board`, behind the given transport; bug.jsonl is its transcript."""
    monkeypatch.setattr(lost, "_ASK_EVERY_S", 0.01)
    monkeypatch.setattr(lost, "_RETURN_WITHIN_S", 0.5)
    registry = Registry(home / "devices.yaml")
    registry.add(Device("board", ORIGINAL, "generic-linux", PurePosixPath(tmp_path / "on the board")))

    def recorded(plan: Plan, transport: LocalTransport) -> str | CampaignInterruptedError:
        monkeypatch.setattr(reach, "open_transport", lambda device, **options: transport)
        try:
            return run_campaign(
                plan,
                store=store,
                registry=registry,
                home=home,
                progress=lambda event: None,
                record=tmp_path / "bug.jsonl",
            )
        except CampaignInterruptedError as error:
            return error
        finally:
            monkeypatch.setattr(reach, "open_transport", open_transport)

    return recorded


@pytest.fixture
def replayed(home: Path, store: Store, tmp_path: Path) -> Callable[[Plan], str | CampaignInterruptedError]:
    """Run the plan on the device `replay`, which answers from bug.jsonl."""

    def replayed(plan: Plan) -> str | CampaignInterruptedError:
        registry = Registry(home / "devices.yaml")
        place = PurePosixPath(tmp_path / "on the board")
        registry.add(Device("replay", f"replay:{tmp_path / 'bug.jsonl'}", "generic-linux", place))
        again = plan.model_copy(update={"devices": ("replay",)})
        try:
            return run_campaign(again, store=store, registry=registry, home=home, progress=lambda event: None)
        except CampaignInterruptedError as error:
            return error

    return replayed


def figures(store: Store, outcome: str | CampaignInterruptedError, address: str) -> dict[str, pd.DataFrame]:
    """Every table of a campaign that is measured or judged, less what NOT_REPLAYED names."""
    campaign_id = outcome if isinstance(outcome, str) else outcome.campaign_id
    tables = campaign_tables(store, campaign_id)
    found = {}
    for name in ("devices", "engines", "jobs", "launches", "samples", "memory", "quality", "estimates"):
        table = getattr(tables, name)
        table = table[[column for column in table.columns if column not in NOT_REPLAYED]].copy()
        for column in table.columns:
            if column.endswith("_id") and column != "engine_id":
                table[column] = table[column] - table[column].min()
            elif column == "reason":
                table[column] = [None if pd.isna(text) else text.replace(address, "ADDRESS") for text in table[column]]
        found[name] = table
    found["campaign"] = tables.campaign[["status", "rounds_done"]]
    return found


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], obj=name)


def test_a_replay_gives_the_same_figures_and_failures(
    plan: Callable[..., Plan], recorded, replayed, store: Store, evaluation: str, tmp_path: Path
):
    wanted = plan(rounds=4, seed=7, devices=["board"], data={"evaluation": evaluation})

    first = figures(store, recorded(wanted, Troubled(kill=[2], lose={4: 3, 5: 0})), ORIGINAL)
    again = figures(store, replayed(wanted), f"replay:{tmp_path / 'bug.jsonl'}")

    assert first["launches"]["status"].value_counts().to_dict() == {"ok": 7, "lost": 2, "failed": 1}
    assert len(first["samples"]) == 7 * 7
    assert len(first["quality"]) == 2
    assert_same(first, again)


def test_a_device_that_stayed_away_stays_away_again_at_once(
    plan: Callable[..., Plan], recorded, replayed, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wanted = plan(devices=["board"])
    first = recorded(wanted, Troubled(lose={3: 1_000_000}))
    # No time passes here: what is asked of this computer's clock would fail.
    monkeypatch.setattr(clock.RealClock, "wait", None)
    monkeypatch.setattr(clock.RealClock, "now_s", None)

    again = replayed(wanted)

    assert isinstance(first, CampaignInterruptedError)
    assert isinstance(again, CampaignInterruptedError)
    assert str(again) == str(first).replace("board:", "replay:")
    assert_same(figures(store, first, ORIGINAL), figures(store, again, f"replay:{tmp_path / 'bug.jsonl'}"))


def test_a_crash_is_replayed_up_to_there(plan: Callable[..., Plan], recorded, replayed, store: Store, tmp_path: Path):
    """As kill -9 leaves it: whole calls, the last line half written, no end."""
    wanted = plan(devices=["board"])
    first = figures(store, recorded(wanted, Troubled()), ORIGINAL)
    whole = (tmp_path / "bug.jsonl").read_bytes().splitlines(keepends=True)
    benches = [number for number, line in enumerate(whole) if '"bench"' in line.decode() and b'"run"' in line]
    (tmp_path / "bug.jsonl").write_bytes(b"".join(whole[: benches[2]]) + whole[benches[2]][:50])

    again = replayed(wanted)

    assert isinstance(again, CampaignInterruptedError)
    assert "no further call (recording stopped there)" in str(again)
    launches = figures(store, again, f"replay:{tmp_path / 'bug.jsonl'}")["launches"]
    kept = [column for column in launches.columns if not column.endswith("_id")]
    pd.testing.assert_frame_equal(launches[kept], first["launches"].iloc[:2][kept])


def test_a_session_that_goes_another_way_ends_there(plan: Callable[..., Plan], recorded, replayed, store: Store):
    recorded(plan(devices=["board"], seed=1), Troubled())

    again = replayed(plan(devices=["board"], seed=2))  # other random inputs

    assert isinstance(again, CampaignInterruptedError)
    assert "--seed 1" in str(again)
    assert "--seed 2" in str(again)
    tables = campaign_tables(store, again.campaign_id)
    assert tables.campaign["status"].iloc[0] == "interrupted"
    assert tables.launches.empty  # nothing of it is taken for what the device did


def test_each_device_has_a_transcript(plan: Callable[..., Plan], recorded, store: Store, home: Path, tmp_path: Path):
    wanted = plan(devices=["board"], rounds=1)
    recorded(wanted, Troubled())
    registry, place = Registry(home / "devices.yaml"), PurePosixPath(tmp_path / "on the board")
    registry.add(Device("replay", f"replay:{tmp_path / 'bug.jsonl'}", "generic-linux", place))
    both = wanted.model_copy(update={"devices": ("local", "replay")})

    run_campaign(
        both, store=store, registry=registry, home=home, progress=lambda event: None, record=tmp_path / "records"
    )

    assert (tmp_path / "records").stat().st_mode & 0o777 == 0o700
    transcripts = {path.name: read_transcript(path) for path in (tmp_path / "records").iterdir()}
    assert {name: (t.header.transport, t.complete) for name, t in transcripts.items()} == {
        "local.jsonl": ("local", True),
        "replay.jsonl": ("replay", True),
    }
    assert [call.kind for call in transcripts["replay.jsonl"].calls] == [
        call.kind for call in read_transcript(tmp_path / "bug.jsonl").calls
    ]


@pytest.mark.parametrize(
    ("record", "devices", "expected"),
    [
        pytest.param("there", ["local"], "new folder to record into, got there: File exists", id="folder is there"),
        pytest.param("there.jsonl", ["local"], "expected to write a new transcript there.jsonl", id="file is there"),
        pytest.param("no/folder", ["local"], "got no/folder: No such file", id="no parent"),
        pytest.param(
            "one.jsonl", ["local", "other"], "record 2 devices into, got the file one.jsonl", id="one for two"
        ),
    ],
)
def test_where_a_transcript_cannot_be_written_nothing_is_measured(
    record: str,
    devices: list[str],
    expected: str,
    plan: Callable[..., Plan],
    store: Store,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    Path("there.jsonl").write_text("precious")
    registry = Registry(home / "devices.yaml")
    registry.add(Device("other", "ssh://nowhere", "generic-linux", PurePosixPath("/x")))

    with pytest.raises(InputError) as error:
        run_campaign(
            plan(devices=devices), store=store, registry=registry, home=home, progress=print, record=Path(record)
        )

    assert expected in str(error.value)
    assert store.campaigns() == []
    assert Path("there.jsonl").read_text() == "precious"
