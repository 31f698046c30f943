"""A cut at any byte leaves the deployment in use as it was; what had arrived is gone on with."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pocketbench.harness.deploy import compression
from pocketbench.harness.deploy.deployment import deploy, status
from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.deploy.status import uncollected_bytes
from pocketbench.harness.errors import DeploymentError, TransportError
from pocketbench.harness.transports.local import LocalTransport
from tests.deploy.conftest import contents, is_tar, objects
from tests.deploy.cutting import Cut

FIRST = {"run.sh": b"one", "model.tflite": b"model one"}
CUTS = 100
LARGE = random.Random(1).randbytes(3_000_000)


def accept(deployment):
    """A check that finds nothing wrong."""


@pytest.mark.slow
def test_at_random_bytes(directory, make_plan):
    rng = random.Random(0)
    with LocalTransport() as whole:
        deploy(whole, directory, make_plan(FIRST), check=accept)
        before = FIRST
        for number in range(CUTS):
            wanted = {
                "model.tflite": rng.randbytes(9000),
                **{f"part-{i}": rng.randbytes(rng.randrange(900)) for i in range(3)},
            }
            plan = make_plan(wanted)
            cut = Cut(LocalTransport(), directory, rng.randrange(22_000), kills=number % 2 == 0)
            try:
                deploy(cut, directory, plan, check=accept)
            except TransportError:
                assert contents(directory) == before
                assert [row.problem for row in status(whole, directory)] == [None]
                deploy(whole, directory, plan, check=accept)
            assert contents(directory) == wanted
            before = wanted
            for file in plan.files:
                file.source.unlink()


@pytest.mark.parametrize("kills", [False, True], ids=["end", "kill"])
def test_what_has_arrived_does_not_travel_again(transport, directory, make_plan, kills):
    plan = make_plan({"model.tflite": LARGE, "small": b"small"})
    with pytest.raises(TransportError):
        deploy(Cut(LocalTransport(), directory, 2_000_000, kills=kills), directory, plan, check=accept)
    (arrived,) = Path(directory).glob("incoming/*/o/*")
    size = arrived.stat().st_size
    assert size > 1_500_000
    told: list[Progress] = []
    deploy(transport, directory, plan, check=accept, progress=told.append)
    assert contents(directory) == {"model.tflite": LARGE, "small": b"small"}
    assert len(LARGE) - size <= sum(map(len, transport.streams)) < len(LARGE) - size + 20_000
    assert told[-1].resumed_bytes == size
    assert told[-1].file_bytes == told[-1].file_bytes_total == len(LARGE) + 5


def test_many_files_that_have_arrived_do_not_travel_again(transport, directory, make_plan):
    wanted = {f"f{i}": i.to_bytes(2) * 500 for i in range(100)}
    plan = make_plan(wanted)
    with pytest.raises(TransportError):
        deploy(Cut(LocalTransport(), directory, 170_000, kills=False), directory, plan, check=accept)
    arrived = {path.name for path in Path(directory).glob("incoming/*/o/*") if path.stat().st_size == 1000}
    assert len(arrived) > 20
    deploy(transport, directory, plan, check=accept)
    assert not arrived & set(transport.sent)
    assert contents(directory) == wanted


def test_a_damaged_part_is_dropped_and_sent_again(transport, directory, make_plan):
    plan = make_plan({"model.tflite": LARGE})
    with pytest.raises(TransportError):
        deploy(Cut(LocalTransport(), directory, 2_000_000, kills=True), directory, plan, check=accept)
    (arrived,) = Path(directory).glob("incoming/*/o/*")
    arrived.chmod(0o644)
    with arrived.open("r+b") as stream:
        stream.write(b"bit rot")
    deploy(transport, directory, plan, check=accept)
    assert contents(directory) == {"model.tflite": LARGE}
    assert list(Path(directory).glob("incoming/*")) == []
    assert sum(map(len, transport.streams)) > len(LARGE)


def test_what_an_earlier_plan_left_is_used_and_nothing_else_of_it(transport, directory, make_plan):
    """The other files that had arrived were never verified: they must not become objects."""
    with pytest.raises(TransportError):
        deploy(
            Cut(LocalTransport(), directory, 2_500_000, kills=False),
            directory,
            make_plan({"old": b"old" * 9, "m": LARGE}),
            check=accept,
        )
    deploy(transport, directory, make_plan({"m": LARGE}, "other"), check=accept)
    assert contents(directory, "other") == {"m": LARGE}
    assert objects(directory) == {hashlib.sha256(LARGE).hexdigest()}


def receiver_of(directory, plan, *, silent_s):
    """What a deployment that is being sent by another host looks like: a process that holds the lock."""
    incoming = Path(directory) / "incoming" / ("0" * 32)
    (incoming / "o").mkdir(parents=True)
    partial = incoming / "o" / plan.files[0].sha256
    partial.write_bytes(LARGE[:1_000_000])
    code = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(incoming / "lock")], start_new_session=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    (incoming / "group").write_text(f"{process.pid}\n")
    then = time.time() - silent_s
    for path in (partial, incoming / "o", incoming):
        os.utime(path, (then, then))
    return process


def test_what_another_host_is_sending_is_left_alone(transport, directory, make_plan):
    plan = make_plan({"model.tflite": LARGE})
    with receiver_of(directory, plan, silent_s=5) as process:
        try:
            deploy(transport, directory, plan, check=accept)
            assert contents(directory) == {"model.tflite": LARGE}
            assert process.poll() is None
            assert (Path(directory) / "incoming" / ("0" * 32) / "o" / plan.files[0].sha256).stat().st_size == 1_000_000
        finally:
            process.kill()


def test_a_receiver_that_waits_since_the_cable_was_pulled_is_ended(transport, directory, make_plan):
    plan = make_plan({"model.tflite": LARGE})
    with receiver_of(directory, plan, silent_s=30) as process:
        try:
            deploy(transport, directory, plan, check=accept)
            assert process.wait(5) == -signal.SIGKILL
            assert contents(directory) == {"model.tflite": LARGE}
            assert sum(map(len, transport.streams)) < len(LARGE) - 900_000
        finally:
            process.kill()


def test_without_flock_nothing_is_taken_over_or_collected(tools_in, transport, directory, make_plan, caplog):
    plan = make_plan({"model.tflite": LARGE})
    with pytest.raises(TransportError):
        deploy(Cut(LocalTransport(), directory, 2_000_000, kills=False), directory, plan, check=accept)
    deploy(tools_in(without=("flock",)), directory, plan, check=accept)
    assert contents(directory) == {"model.tflite": LARGE}
    assert len(list(Path(directory).glob("incoming/*/o/*"))) == 1
    assert "no flock: no old deployment is removed" in caplog.text


def test_without_flock_the_status_says_how_much_is_of_no_use_any_more(tools_in, transport, directory, make_plan):
    device = tools_in(without=("flock",))
    with pytest.raises(TransportError):
        deploy(
            Cut(LocalTransport(), directory, 2_000_000, kills=False), directory, make_plan({"m": LARGE}), check=accept
        )
    arrived = sum(path.stat().st_size for path in Path(directory).glob("incoming/*/o/*"))
    for size in (100, 2_000, 30_000):
        deploy(device, directory, make_plan({"m": b"x" * size, "same": b"same"}), check=accept)
    deploy(device, directory, make_plan({"m": b"y" * 500}, "other"), check=accept)
    assert uncollected_bytes(device, directory, status(device, directory)) == arrived + 100
    assert uncollected_bytes(transport, directory, status(transport, directory)) is None


def test_a_stream_that_only_seems_complete_is_refused(transport, directory, make_plan):
    """A cut between two members of the tar is no error to some versions of tar."""
    deploy(transport, directory, make_plan(FIRST), check=accept)
    transport.damage = lambda data: data[: data.index(b"complete\0")] if is_tar(data) else data
    with pytest.raises(DeploymentError):
        deploy(transport, directory, make_plan({"m": b"two"}), check=accept)
    assert contents(directory) == FIRST


def test_what_is_removed_between_two_commands_of_a_deployment_is_sent_again(
    transport, directory, make_plan, monkeypatch
):
    """A clock that jumps makes it look old; here after the first 2 MB, by which the link is measured."""
    monkeypatch.setattr(compression.Sample, "pays", lambda self, rate: False)
    text = b"".join(b"%d %d\n" % (n, n * n) for n in range(700_000))
    removed: list[Path] = []

    def collect(completed):
        if completed.stdout.strip() == b"2000000" and not removed:
            removed.extend(Path(directory).glob("incoming/*"))
            collect_garbage(LocalTransport(), Layout(directory), partial_kept=timedelta(0))
        return completed

    transport.alter = collect
    deploy(transport, directory, make_plan({"model": text}), check=accept)
    assert len(removed) == 1
    assert not removed[0].exists()
    assert contents(directory) == {"model": text}
