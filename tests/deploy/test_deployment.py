"""Deploying: complete, verified, switched at once, with the way back; only what is missing travels."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy import deployment as deploying
from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Deployment, DeploymentFile, DeploymentPlan
from pocketbench.harness.errors import DeploymentError
from tests.deploy.conftest import contents, objects

FIRST = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"one"}
SECOND = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"two"}
THIRD = {"run.sh": b"#!/bin/sh\necho 3\n", "model.tflite": b"three"}


def accept(deployment):
    """A check that finds nothing wrong."""


def collect_all(transport, directory):
    collect_garbage(transport, Layout(directory), abandoned_after=timedelta(0))


def test_young_ones_are_left_alone_since_they_may_be_under_way(transport, directory, make_plan):
    """Young by the device's clock: what a host's clock says is only in the name."""
    first = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    for plan in (SECOND, THIRD):
        deploying.deploy(transport, directory, make_plan(plan), check=accept)
    assert len(objects(directory)) == 5
    record = Path(first.root) / "deployment.json"
    for minutes, left in ((59, 5), (61, 4)):
        made = record.stat().st_ctime - minutes * 60
        os.utime(record, (made, made))
        collect_garbage(transport, Layout(directory))
        assert len(objects(directory)) == left
    assert not Path(first.root).exists()


def test_a_first_deployment_is_complete_and_in_use(transport, directory, make_plan):
    seen: list[Deployment] = []
    deployed = deploying.deploy(transport, directory, make_plan(FIRST), check=seen.append)
    assert contents(directory) == FIRST
    assert seen == [deployed]
    assert {name: Path(path).read_bytes() for name, path in deployed.files.items()} == FIRST
    assert os.access(deployed.files["run.sh"], os.X_OK)
    assert Path(deployed.files["model.tflite"]).stat().st_mode & 0o111 == 0
    assert transport.run([str(deployed.files["run.sh"])], timeout_s=5).stdout == b"1\n"


def test_only_what_is_missing_travels(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    transport.streams.clear()
    deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    assert transport.sent == [hashlib.sha256(b"two").hexdigest()]
    assert contents(directory) == SECOND


def test_the_same_again_writes_nothing_and_is_checked_again(transport, directory, make_plan):
    first = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    transport.calls.clear()
    before = everything(directory)
    seen: list[Deployment] = []
    assert deploying.deploy(transport, directory, make_plan(FIRST), check=seen.append) == first == seen[0]
    assert len(transport.calls) == 1
    assert everything(directory) == before


def everything(directory):
    facts = {path: path.lstat() for path in Path(directory).rglob("*")}
    return {path: (fact.st_ino, fact.st_mtime_ns, fact.st_ctime_ns) for path, fact in facts.items()}


def test_the_same_content_under_two_names_is_one_object(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan({"a": b"same", "b.sh": b"same"}), check=accept)
    assert objects(directory) == {hashlib.sha256(b"same").hexdigest()}
    assert os.access(Path(directory) / "deployments/digits/current", os.R_OK)


def test_a_failed_check_leaves_the_one_in_use(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)

    def refuse(deployment):
        assert contents(directory) == FIRST  # not switched yet
        raise DeploymentError("wrong outputs")

    with pytest.raises(DeploymentError, match="wrong outputs"):
        deploying.deploy(transport, directory, make_plan(SECOND), check=refuse)
    assert contents(directory) == FIRST
    (status,) = deploying.status(transport, directory)
    assert len(list((Path(directory) / "deployments/digits").iterdir())) == 2  # the one in use and `current`
    assert status.previous_id is None


def test_a_damaged_object_is_replaced(transport, directory, make_plan):
    deployed = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    path = Path(deployed.files["model.tflite"]).resolve()
    path.chmod(0o644)
    path.write_bytes(b"bit rot")
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    assert contents(directory) == FIRST


def test_a_lost_link_is_replaced(transport, directory, make_plan):
    deployed = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    Path(deployed.files["model.tflite"]).unlink()
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    assert contents(directory) == FIRST


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff\xfe", b"[" * 2000, b"x" * 2_000_000], ids=len)
def test_a_damaged_record_is_told_and_replaced_by_deploying_again(transport, directory, make_plan, garbage):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    (Path(directory) / "deployments/digits/current").resolve().write_bytes(garbage)
    (status,) = deploying.status(transport, directory)
    assert status.deployment_id is None
    assert "deploy it again" in str(status.problem)
    with pytest.raises(DeploymentError, match="deploy it again"):
        deploying.rollback(transport, directory, "digits")
    deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    assert contents(directory) == SECOND


def test_what_arrives_damaged_is_not_used(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    transport.damage = lambda data: data.replace(b"two", b"tvo")
    with pytest.raises(DeploymentError, match=r"model\.tflite to arrive with the right b2sum.*deploy again"):
        deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    assert contents(directory) == FIRST
    assert hashlib.sha256(b"two").hexdigest() not in objects(directory)
    assert list((Path(directory) / "incoming").iterdir()) == []


def test_a_rollback_leads_to_the_one_before(transport, directory, make_plan):
    first = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    second = deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    (status,) = deploying.status(transport, directory)
    assert (status.deployment_id, status.previous_id) == (second.deployment_id, first.deployment_id)
    assert status.size_bytes == sum(map(len, SECOND.values()))
    assert deploying.rollback(transport, directory, "digits") == first
    assert contents(directory) == FIRST
    with pytest.raises(InputError, match="before the one in use, got none"):
        deploying.rollback(transport, directory, "digits")


def test_a_rollback_to_damaged_files_is_refused(transport, directory, make_plan):
    first = deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    Path(first.files["model.tflite"]).resolve().unlink()
    with pytest.raises(DeploymentError, match="damaged or missing"):
        deploying.rollback(transport, directory, "digits")
    assert contents(directory) == SECOND


def test_older_ones_are_collected_and_the_one_before_is_not(transport, directory, make_plan):
    for plan in (FIRST, SECOND, THIRD):
        deploying.deploy(transport, directory, make_plan(plan), check=accept)
        collect_all(transport, directory)
    assert contents(directory) == THIRD
    wanted = {*SECOND.values(), *THIRD.values()}
    assert objects(directory) == {hashlib.sha256(content).hexdigest() for content in wanted}
    deploying.rollback(transport, directory, "digits")
    assert contents(directory) == SECOND


def test_names_do_not_disturb_each_other(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan(FIRST, "a"), check=accept)
    deploying.deploy(transport, directory, make_plan(SECOND, "b"), check=accept)
    deploying.remove(transport, directory, "a")
    assert contents(directory, "a") is None
    assert contents(directory, "b") == SECOND
    assert [status.name for status in deploying.status(transport, directory)] == ["b"]
    with pytest.raises(InputError, match="got 'a'; Known: b"):
        deploying.remove(transport, directory, "a")


def test_nothing_is_deployed(transport, directory):
    assert deploying.status(transport, directory) == []
    for ask in (deploying.rollback, deploying.remove):
        with pytest.raises(InputError, match="nothing is deployed there"):
            ask(transport, directory, "digits")


def test_foreign_files_in_the_directory_are_left_alone(transport, directory, make_plan):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    strange = [
        Path(directory) / "deployments/digits/notes",
        Path(directory) / "deployments/.hidden",
        Path(directory) / "deployments/a\nb",
        Path(directory) / "objects/ab/not-a-hash",
        Path(directory) / "objects/notes",
        Path(directory) / "incoming/notes/o/x",
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    collect_all(transport, directory)
    assert all(path.read_text() == "mine" for path in strange)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "a\n", "-rf", "$(reboot)", "a;b", "'", '"', "a\0b", "ä", "x" * 101]
)
def test_hostile_names_are_refused_before_anything_is_asked(transport, directory, tmp_path, name):
    source = tmp_path / "f"
    source.write_bytes(b"")
    digest = hashlib.sha256(b"").hexdigest()
    with pytest.raises(InputError, match="expected a name for a deployment"):
        DeploymentPlan(name, (DeploymentFile("f", source, digest),))
    with pytest.raises(InputError, match="expected a name for a deployed file"):
        DeploymentPlan("x", (DeploymentFile(name, source, digest),))
    for ask in (deploying.rollback, deploying.remove):
        with pytest.raises(InputError, match="expected a name for a deployment"):
            ask(transport, directory, name)
    assert transport.calls == []


@pytest.mark.parametrize("tail", ["with space", "$(touch hacked)", "a'b\"c", "`id`", "ünïcode", "-rf", "*", "a;b|c&d"])
def test_a_strange_directory_is_harmless(transport, tmp_path, make_plan, tail):
    directory = PurePosixPath(tmp_path / tail)
    before = set(tmp_path.iterdir())
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    deploying.deploy(transport, directory, make_plan(SECOND), check=accept)
    deploying.rollback(transport, directory, "digits")
    assert contents(directory) == FIRST
    assert {p.name for p in set(tmp_path.iterdir()) - before if not p.name.startswith("source-")} == {tail}


@pytest.mark.parametrize("directory", ["relative", "/a/../b", "/a\nb", "/a\\b"])
def test_an_impossible_directory_is_refused(transport, make_plan, directory):
    with pytest.raises(InputError, match="expected an absolute directory"):
        deploying.deploy(transport, PurePosixPath(directory), make_plan(FIRST), check=accept)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param([], "one or more files", id="none"),
        pytest.param(["a", "a"], "different names", id="twice"),
        pytest.param(["deployment.json"], r"none of them deployment\.json", id="reserved"),
    ],
)
def test_an_impossible_plan_is_refused(tmp_path, files, words):
    with pytest.raises(InputError, match=words):
        DeploymentPlan("x", tuple(DeploymentFile(name, tmp_path / "f", "0" * 64) for name in files))


def test_a_source_that_changed_is_refused_before_anything_is_written(transport, directory, make_plan):
    plan = make_plan(FIRST)
    plan.files[1].source.write_bytes(b"changed")
    with pytest.raises(InputError, match="it was changed since"):
        deploying.deploy(transport, directory, plan, check=accept)
    plan.files[1].source.unlink()
    with pytest.raises(InputError, match="No such file"):
        deploying.deploy(transport, directory, plan, check=accept)
    assert not Path(directory).exists()


@pytest.mark.parametrize("command", ["mkdir", "ln", "tar"])
def test_a_command_that_fails_is_told_with_its_words(tools_in, transport, directory, make_plan, command):
    deploying.deploy(transport, directory, make_plan(FIRST), check=accept)
    words = "for i in 1 2 3 4 5 6 7 8 9; do printf 'Read-only file system\\033[31m%80s\\n' x >&2; done; exit 1"
    broken = tools_in(scripts={command: words})
    with pytest.raises(DeploymentError, match="Read-only file system") as caught:
        deploying.deploy(broken, directory, make_plan(SECOND), check=accept)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert contents(directory) == FIRST


def test_a_device_without_a_command_is_told_what_to_install(tools_in, directory, make_plan):
    device = tools_in(without=("b2sum", "sha256sum", "sha1sum", "tar"))
    with pytest.raises(DeploymentError, match=r"commands tar, b2sum or sha256sum or sha1sum.*install coreutils"):
        deploying.deploy(device, directory, make_plan(FIRST), check=accept)
    assert not Path(directory).exists()
