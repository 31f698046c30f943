"""A cut at any step leaves the deployment in use as it was, or the new one complete; the next attempt succeeds."""

from __future__ import annotations

import itertools
import shutil
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.deployment import deploy, remove, rollback, status
from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.errors import TransportError
from tests.deploy.conftest import contents, objects

FIRST = {"run.sh": b"one", "model.tflite": b"model one"}
SECOND = {"run.sh": b"two", "model.tflite": b"model two"}
THIRD = {"run.sh": b"three"}

pytestmark = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


def accept(deployment):
    """A check that finds nothing wrong."""


def collect(transport, directory):
    collect_garbage(transport, Layout(directory), abandoned_after=timedelta(0), partial_kept=timedelta(0))


def cut_at_every_call(transport, directory, action, after):
    """Yield a copy of `directory` with `action` cut at its first, second, … call, until one is not cut."""
    for step in itertools.count(1):
        copy = PurePosixPath(f"{directory}-{step}")
        if Path(directory).exists():
            shutil.copytree(directory, copy, symlinks=True)
        transport.calls.clear()
        transport.break_at, transport.break_after = step, after
        try:
            action(copy)
        except TransportError:
            assert len(transport.calls) >= step
        was_cut = len(transport.calls) >= step
        transport.break_at = None
        yield copy
        if not was_cut:
            assert step > 1
            return


def test_a_deployment(transport, directory, make_plan, after):
    first, second = make_plan(FIRST), make_plan(SECOND)
    deploy(transport, directory, first, check=accept)
    results = []
    for copy in cut_at_every_call(
        transport, directory, lambda copy: deploy(transport, copy, second, check=accept), after
    ):
        results.append(contents(copy))
        assert results[-1] in (FIRST, SECOND)
        assert [row.problem for row in status(transport, copy)] == [None]
        deploy(transport, copy, second, check=accept)
        assert contents(copy) == SECOND
        collect(transport, copy)
        assert len(objects(copy)) == 4
        assert len(list((Path(copy) / "deployments/digits").iterdir())) == 3  # this one, the one before, `current`
        rollback(transport, copy, "digits")
        assert contents(copy) == FIRST
    # One switch, and every step before and after it was cut.
    assert results == sorted(results, key=lambda seen: seen == SECOND)
    assert results.count(FIRST) >= 2
    assert results.count(SECOND) >= 1


def test_the_first_deployment(transport, directory, make_plan, after):
    plan = make_plan(FIRST)
    for copy in cut_at_every_call(
        transport, directory, lambda copy: deploy(transport, copy, plan, check=accept), after
    ):
        assert contents(copy) in (None, FIRST)
        deploy(transport, copy, plan, check=accept)
        assert contents(copy) == FIRST


def test_a_rollback(transport, directory, make_plan, after):
    for plan in (FIRST, SECOND):
        deploy(transport, directory, make_plan(plan), check=accept)
    for copy in cut_at_every_call(transport, directory, lambda copy: rollback(transport, copy, "digits"), after):
        if contents(copy) != FIRST:
            assert contents(copy) == SECOND
            rollback(transport, copy, "digits")
        assert contents(copy) == FIRST


def test_a_collection(transport, directory, make_plan, after):
    for plan in (FIRST, SECOND, THIRD):
        deploy(transport, directory, make_plan(plan), check=accept)
    for copy in cut_at_every_call(transport, directory, lambda copy: collect(transport, copy), after):
        assert contents(copy) == THIRD
        collect(transport, copy)
        assert len(objects(copy)) == 3
        rollback(transport, copy, "digits")
        assert contents(copy) == SECOND


def test_a_removal(transport, directory, make_plan, after):
    deploy(transport, directory, make_plan(FIRST, "other"), check=accept)
    deploy(transport, directory, make_plan(SECOND), check=accept)
    for copy in cut_at_every_call(transport, directory, lambda copy: remove(transport, copy, "digits"), after):
        assert contents(copy) in (None, SECOND)
        if "digits" in [row.name for row in status(transport, copy)]:
            remove(transport, copy, "digits")
        collect(transport, copy)
        assert contents(copy) is None
        assert contents(copy, "other") == FIRST
        assert len(objects(copy)) == 2
