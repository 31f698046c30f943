"""Campaigns on an emulated board in a world of its own: what is true of its variants is known, since it is made up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pytest

from pocketbench.harness.campaign import launching
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.engines.adding import add_engine
from pocketbench.harness.engines.catalogue import host_platform
from pocketbench.harness.engines.supply import engines_folder
from pocketbench.harness.runner.build import PLATFORMS
from pocketbench.harness.store.store import Store
from pocketbench.reports.tables import CampaignTables
from tests.devices.board import Board
from tests.devices.thermal_world import Launch, World
from tests.runner.tiny_models import dense_onnx
from tests.transports.ssh_client import Client, block, client_in

REFERENCE, VARIANT = "reference.onnx", "variant.onnx"
# What an inference takes at full clock.
WORK_US = {REFERENCE: 6000, VARIANT: 4800}
TRUE_RATIO = WORK_US[VARIANT] / WORK_US[REFERENCE]
# Shorter than any regime's, so that a campaign is over in seconds: their launches are marked as short.
SHORT = {"iterations": 50, "min_time_s": 0.6, "warmup_iterations": 10, "warmup_time_s": 0.1}


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of the paced engine."""
    library = tmp_path_factory.mktemp("paced") / "libonnxruntime.so"
    compiler = (sys.executable, "-m", "ziglang", "cc", "-target", PLATFORMS[host_platform()])
    flags = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-fno-sanitize=all", "-Wall", "-Wextra", "-shared")
    source = Path(__file__).with_name("paced_engine.c")
    subprocess.run([*compiler, *flags, "-o", library, source], check=True)
    return library


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Board(tmp_path_factory.mktemp("board") / "board") as board:
        yield board


@pytest.fixture(scope="module")
def plain_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One that is no Raspberry Pi: nothing but its kernel says anything."""
    with Board(tmp_path_factory.mktemp("board") / "board", has_firmware=False) as board:
        yield board


@dataclass
class Campaign:
    """A campaign that was run. `slowed` says of each launch, in their order, whether the world slowed it down."""

    tables: CampaignTables
    slowed: list[bool] = field(default_factory=list)

    @property
    def launches(self) -> pd.DataFrame:
        """With the variant of each, in the order in which they were made."""
        jobs = self.tables.jobs.merge(self.tables.variants[["variant_id", "name"]], on="variant_id")
        launches = self.tables.launches.merge(jobs[["job_id", "name", "is_aa_copy"]], on="job_id")
        return launches.sort_values("launch_id", ignore_index=True)

    @property
    def device(self) -> dict[str, Any]:
        """The row of the board."""
        return rows(self.tables.devices)[0]

    @property
    def ratio(self) -> dict[str, Any]:
        """The row of the variant among the estimates."""
        variants = self.tables.variants.set_index("variant_id")["name"]
        jobs = [one for one in rows(self.tables.jobs) if variants[one["variant_id"]] == VARIANT]
        return next(row for row in rows(self.tables.estimates) if row["job_id"] == jobs[0]["job_id"])

    def sensed(self) -> list[str]:
        """The sensors that were read."""
        return [one["sensor"] for one in json.loads(self.device["sensors"])["sensed"]]


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One after the other, with None for what is not known."""
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")
    ]


@dataclass(frozen=True)
class Coming:
    """The launch that comes next: the `number`th of its variant from 0, in the round `round` from 0."""

    variant: str
    number: int
    round: int


Meets = Callable[[Coming], Launch]
RunOn = Callable[..., Campaign]


@dataclass
class _Listener:
    """Tells the world which launch comes next."""

    world: World
    meets: Meets
    notice: Callable[[str], None]
    slowed: list[bool] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    launched: bool = False

    def __call__(self, event: CampaignProgress) -> None:
        self.close()
        self.world.meets(Launch())
        self.notice(event.message)
        # round 2 of 3: variant.onnx on board, 1 thread
        found = re.match(r"round (\d+)(?: of \d+)?: (\S+) on ", event.message)
        if found:
            number = self.counts.get(found[2], 0)
            self.counts[found[2]] = number + 1
            self.world.meets(self.meets(Coming(found[2], number, int(found[1]) - 1)))
            self.launched = True

    def close(self) -> None:
        """A launch is over when the next thing is told, or the campaign ends."""
        if self.launched:
            self.slowed.append(self.world.slowed)
            self.launched = False


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """What is changed for all tests of a file."""
    with pytest.MonkeyPatch.context() as context:
        yield context


@pytest.fixture(scope="module")
def run_on(tmp_path_factory: pytest.TempPathFactory, engine: Path, patch: pytest.MonkeyPatch) -> RunOn:
    """Run a plan of these two variants on a board, as a user with a home of their own."""
    patch.setattr(launching, "_LOOK_EVERY_S", 0.05)

    def run_on(
        world: World,
        board: Board,
        *,
        meets: Meets = lambda coming: Launch(),
        notice: Callable[[str], None] = lambda message: None,
        variants: tuple[str, ...] = (REFERENCE, VARIANT),
        launch: Mapping[str, object] = SHORT,
        **values: object,
    ) -> Campaign:
        folder = tmp_path_factory.mktemp("user")
        home = _home(client_in(folder, patch), board, engine)
        plan = Plan.model_validate(
            {
                "version": 1,
                "name": "protocol",
                "variants": tuple(_model(folder / name) for name in variants),
                "devices": ["board"],
                "aa_copy": False,
                "profile": False,
                "launch": launch,
                **values,
            }
        )
        listener = _Listener(world, meets, notice)
        with Store(home) as store:
            registry = Registry(home / "devices.yaml")
            campaign_id = run_campaign(plan, store=store, registry=registry, home=home, progress=listener)
            listener.close()
            return Campaign(campaign_tables(store, campaign_id), listener.slowed)

    return run_on


def _home(client: Client, board: Board, engine: Path) -> Path:
    """One that knows the board, and has added the engine."""
    client.trust(board)
    client.configure(block(board.host, board))
    address = f"ssh://{board.user}@{board.host}:{board.port}"
    device = Device("board", address, "raspberry-pi-4b", PurePosixPath("/root/pocketbench"))
    Registry(client.home / "devices.yaml").add(device)
    add_engine(engine, cache=engines_folder(client.home), version="paced", say=print)
    return client.home


def _model(path: Path) -> Path:
    """A real one, which says what an inference takes."""
    import onnx

    model = onnx.load(dense_onnx(path))
    model.doc_string = f"work_us={WORK_US[path.name]} "
    onnx.save(model, path)
    return path
