"""Devices that cannot take or start what is deployed say so, and the other devices of the campaign go on."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pocketbench.harness.campaign import reach
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.engines.catalogue import EngineBuild, host_platform, local_engine
from pocketbench.harness.engines.supply import ensure_engine
from pocketbench.harness.engines.target import Target
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Transport
from tests.faults.conftest import Campaign
from tests.faults.consistency import check_store
from tests.faults.faulty import Faulty
from tests.needs import require_root
from tests.runner.fakes import build_fake

OTHER_PLATFORM = next(name for name in ("linux-aarch64", "linux-x86_64") if name != host_platform())


@pytest.fixture
def reason_on(
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    store: Store,
    home: Path,
) -> Callable[[Faulty], str]:
    """Measure on the device and on this computer, where all goes well; why the device has no figures."""

    def reason_on(device: Faulty) -> str:
        board(device)
        model(0)
        tables = campaign_tables(store, run(plan(devices=["board", "local"], rounds=1)))
        check_store(home)
        assert tables.campaign["status"].iloc[0] == "finished"
        jobs = tables.jobs.set_index("device")
        assert dict(jobs["status"]) == {"board": "failed", "local": "ok"}
        assert list(tables.launches["job_id"]) == [jobs.loc["local", "job_id"]]
        said = str(jobs.loc["board", "reason"])
        assert said.startswith("not deployed: ssh://board")
        return said

    return reason_on


@contextlib.contextmanager
def mounted(directory: PurePosixPath, options: str) -> Iterator[None]:
    """A file system in memory of the device's own."""
    require_root("to mount a disk")
    Path(directory).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def test_a_directory_that_is_not_executable(reason_on: Callable[[Faulty], str], directory: PurePosixPath):
    with mounted(directory, "noexec"):
        reason = reason_on(Faulty())

    assert "Permission denied. Programs may not be executed in its directory" in reason
    assert "register the device with another --directory" in reason


def test_a_disk_that_is_too_small(reason_on: Callable[[Faulty], str], directory: PurePosixPath):
    with mounted(directory, "size=4m"):
        reason = reason_on(Faulty())
        assert list(Path(directory).iterdir()) == []

    assert re.search(r"expected 1\d\.\d MB free, got 4\.2 MB: nothing was written", reason)


def test_a_disk_that_fills_up_in_the_middle_and_has_room_again(
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    store: Store,
    home: Path,
    directory: PurePosixPath,
):
    device, somebody = Faulty(), Path(directory) / "somebody's"

    def fill(argv):
        with somebody.open("wb", buffering=0) as stream, contextlib.suppress(OSError):  # no space is left
            while stream.write(bytes(4096)):
                pass
        return argv

    def make_room(completed):
        somebody.unlink()
        return completed

    device.at_launch(2, wrap=fill, alter=make_room)
    board(device)
    model(0)
    with mounted(directory, "size=40m"):
        tables = campaign_tables(store, run(plan(rounds=3)))

    check_store(home)
    assert list(tables.launches["status"]) == ["ok", "failed", "ok"]
    assert "No space left on device" in tables.launches["reason"].iloc[1]
    assert list(tables.jobs["status"]) == ["partial"]


@pytest.fixture
def engine_of_board(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """engine_of_board(field=…): the board, which is equipped first, gets a build that differs in that."""

    def engine_of_board(**changes: Any) -> None:
        waiting = [changes]

        def ensure(name: str, target: Target, **options: Any) -> EngineBuild:
            return dataclasses.replace(ensure_engine(name, target, **options), **(waiting.pop() if waiting else {}))

        monkeypatch.setattr(reach, "ensure_engine", ensure)

    return engine_of_board


def test_a_runner_for_another_processor(reason_on: Callable[[Faulty], str], engine_of_board: Callable[..., None]):
    engine_of_board(platform=OTHER_PLATFORM)

    assert "Exec format error. It is built for another processor than the device's" in reason_on(Faulty())


def truncated(folder: Path) -> Path:
    path = folder / "libLiteRt.so"
    path.write_bytes(local_engine("litert").library.read_bytes()[:100_000])
    return path


def incomplete(folder: Path) -> Path:
    """Something in it is to come from elsewhere, and does not."""
    source, path = folder / "engine.c", folder / "libLiteRt.so"
    source.write_text("int nobody_has_this(void); int LiteRtCreateEnvironment(void) { return nobody_has_this(); }")
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-shared", "-o", path, source], check=True)
    return path


def foreign(folder: Path) -> Path:
    return build_fake("litert", OTHER_PLATFORM, folder)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        # The loader maps what the beginning of the file promises (mmap(2): SIGBUS beyond its end).
        pytest.param(truncated, r"ended by signal 7 \(SIGBUS\)", id="cut off"),
        pytest.param(incomplete, "undefined symbol: nobody_has_this", id="incomplete"),
        pytest.param(foreign, "cannot load the engine: .*libLiteRt.so", id="for another processor"),
    ],
)
def test_an_engine_that_does_not_load_says_why(
    make: Callable[[Path], Path],
    words: str,
    reason_on: Callable[[Faulty], str],
    engine_of_board: Callable[..., None],
    tmp_path: Path,
):
    library = make(tmp_path)
    engine_of_board(library=library, sha256=hashlib.sha256(library.read_bytes()).hexdigest())

    reason = reason_on(Faulty())

    assert "engine_load" in reason
    assert re.search(words, reason), reason
