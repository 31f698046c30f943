"""Two hosts that deploy to one device at the same time do not harm each other, however their commands interleave."""

from __future__ import annotations

import fcntl
import itertools
import shutil
import threading
import time
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.deployment import deploy, remove, rollback, status
from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.transfer import DeviceChangedError
from pocketbench.harness.transports.local import LocalTransport
from tests.deploy.conftest import contents

SHARED = b"shared" * 100
ZERO = {"model": b"zero", "lib": SHARED}
ONE = {"model": b"one", "lib": SHARED}
TWO = {"model": b"two", "lib": SHARED}
# survey, place, check, switch
STEPS = 4


class Stepped(LocalTransport):
    """Runs a command when it is told to."""

    def __init__(self):
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self.finished = False

    def step(self):
        """Let the other thread go on to the end of its next command, or of all."""
        if not self.finished:
            self._turn.release()
            assert self._done.acquire(timeout=60)

    def wait(self):
        self._turn.acquire()

    def run(self, argv, *, timeout_s, stdin=b""):
        try:
            return super().run(argv, timeout_s=timeout_s, stdin=stdin)
        finally:
            self.pause()

    def pause(self):
        self._done.release()
        self.wait()

    def end(self):
        self.finished = True
        self._done.release()


class Host:
    """One that deploys, in a thread of its own."""

    def __init__(self, action):
        self.transport = Stepped()
        self.error = None
        self._action = action
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        self.transport.wait()
        try:
            self._action(self.transport)
        except Exception as error:
            self.error = error
        finally:
            self.transport.end()

    def finish(self):
        while not self.transport.finished:
            self.transport.step()
        self._thread.join(60)


def read_through_links(transport, expected):
    def check(deployment):
        assert {name: Path(path).read_bytes() for name, path in deployment.files.items()} == expected
        transport.pause()

    return check


def deploying(directory, plan, expected):
    return lambda transport: deploy(transport, directory, plan, check=read_through_links(transport, expected))


def interleavings(first, second):
    """Every order of `first` steps of one and `second` of the other; where both do the same, one of them begins."""
    for chosen in itertools.combinations(range(first + second), first):
        if 0 in chosen or first != second:
            yield [0 if position in chosen else 1 for position in range(first + second)]


def play(actions, order):
    hosts = [Host(action) for action in actions]
    for which in order:
        hosts[which].transport.step()
    for host in hosts:
        host.finish()
    return [host.error for host in hosts]


@pytest.fixture
def begun(directory, make_plan):
    """A device where ZERO is in use; copies of it."""
    with LocalTransport() as transport:
        deploy(transport, directory, make_plan(ZERO), check=lambda deployment: None)
    counter = itertools.count()

    def copy():
        target = PurePosixPath(f"{directory}-{next(counter)}")
        shutil.copytree(directory, target, symlinks=True)
        return target

    return copy


def test_two_plans_under_one_name(begun, make_plan):
    one, two = make_plan(ONE), make_plan(TWO)
    seen = set()
    for order in interleavings(STEPS, STEPS):
        copy = begun()
        assert play([deploying(copy, one, ONE), deploying(copy, two, TWO)], order) == [None, None]
        last = contents(copy)
        assert last in (ONE, TWO)
        seen.add(last == ONE)
        with LocalTransport() as transport:
            assert [row.problem for row in status(transport, copy, verify=True)] == [None]
            rollback(transport, copy, "digits")
        assert contents(copy) == (TWO if last == ONE else ONE)  # the other one is not lost
        shutil.rmtree(copy)
    assert seen == {True, False}


def test_the_same_plan_twice(begun, make_plan):
    plan = make_plan(ONE)
    for order in interleavings(STEPS, STEPS):
        copy = begun()
        assert play([deploying(copy, plan, ONE)] * 2, order) == [None, None]
        assert contents(copy) == ONE
        with LocalTransport() as transport:
            rollback(transport, copy, "digits")
        assert contents(copy) == ZERO
        shutil.rmtree(copy)


def test_another_name_is_removed_that_has_the_same_objects(begun, make_plan):
    """The survey has seen an object that is gone when it is needed: it is sent after all."""
    plan = make_plan(ONE, "other")
    for order in interleavings(1, STEPS):
        copy = begun()

        def removing(transport, copy=copy):
            remove(transport, copy, "digits")

        assert play([removing, deploying(copy, plan, ONE)], order) == [None, None]
        assert contents(copy, "other") == ONE
        assert contents(copy) is None
        shutil.rmtree(copy)


def test_its_own_name_is_removed(begun, make_plan):
    plan = make_plan(ONE)
    for order in interleavings(1, STEPS):
        copy = begun()

        def removing(transport, copy=copy):
            remove(transport, copy, "digits")

        errors = play([removing, deploying(copy, plan, ONE)], order)
        assert errors == [None, None]
        assert contents(copy) in (ONE, None)
        with LocalTransport() as transport:
            assert [row.problem for row in status(transport, copy)] == ([None] if contents(copy) else [])
        shutil.rmtree(copy)


def test_a_clock_that_jumps_makes_a_deployment_look_abandoned(begun, make_plan):
    """The one that is being tried is collected: it is made again, and the one in use stands all the time."""
    plan = make_plan(ONE)
    for order in interleavings(1, STEPS):
        copy = begun()

        def collecting(transport, copy=copy):
            assert contents(copy) in (ZERO, ONE)
            collect_garbage(transport, Layout(copy), abandoned_after=timedelta(0), partial_kept=timedelta(0))
            assert contents(copy) in (ZERO, ONE)

        assert play([collecting, deploying(copy, plan, ONE)], order) == [None, None]
        assert contents(copy) == ONE
        shutil.rmtree(copy)


@pytest.mark.parametrize("stage", ["place", "switch"])
def test_whoever_holds_the_lock_is_waited_for(tools_in, directory, make_plan, tmp_path, stage):
    asked = tmp_path / "asked"
    device = tools_in(scripts={"flock": f'echo asked "$@" >>{asked}; exec {shutil.which("flock")} "$@"'})
    deploy(device, directory, make_plan(ZERO), check=lambda deployment: None)
    held, taken = (Path(directory) / "lock").open("ab"), threading.Event()

    def take(_deployment=None):
        fcntl.flock(held, fcntl.LOCK_EX)
        asked.unlink()
        taken.set()

    if stage == "place":
        take()
    check = take if stage == "switch" else lambda deployment: None
    thread = threading.Thread(target=lambda: deploy(device, directory, make_plan(ONE), check=check))
    thread.start()
    assert taken.wait(30)
    deadline = time.monotonic() + 30
    while not asked.exists() or asked.read_text().count("asked -n 9\n") < 3:
        assert time.monotonic() < deadline, "the lock is asked for again and again"
        time.sleep(0.01)
    assert contents(directory) == ZERO
    assert len(list((Path(directory) / "deployments/digits").iterdir())) == (2 if stage == "place" else 3)
    held.close()
    thread.join(60)
    assert contents(directory) == ONE


def test_without_taking_turns(begun, make_plan):
    """Two that deploy and a third that collects everything, as often as they can: the lock keeps them apart."""
    copy = begun()
    over = threading.Event()
    outcomes: list[Exception | None] = []

    def collect():
        with LocalTransport() as transport:
            while not over.wait(0.05):
                collect_garbage(transport, Layout(copy), abandoned_after=timedelta(0), partial_kept=timedelta(0))

    def put(contents_of):
        with LocalTransport() as transport:
            for number in range(3):
                try:
                    plan = make_plan({**contents_of, "number": b"%d" % number})
                    deploy(transport, copy, plan, check=lambda deployment: None)
                except DeviceChangedError as error:
                    outcomes.append(error)
                else:
                    outcomes.append(None)

    threads = [threading.Thread(target=put, args=(content,)) for content in (ONE, TWO)]
    collector = threading.Thread(target=collect)
    for thread in (*threads, collector):
        thread.start()
    for thread in threads:
        thread.join(120)
    over.set()
    collector.join(60)
    assert len(outcomes) == 6
    assert outcomes.count(None) >= 1
    with LocalTransport() as transport:
        assert [row.problem for row in status(transport, copy, verify=True)] == [None]
    assert (contents(copy) or {})["lib"] == SHARED
