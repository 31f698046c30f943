"""What a power cut does to a deployment, on a computer that has a disk: what was in use still is, and works."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.deploy.deployment import deploy, status
from pocketbench.harness.deploy.plan import DeploymentFile, DeploymentPlan
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.deploy.variant import DeployedVariant, deploy_variant
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.supply import engines_folder, ensure_engine
from pocketbench.harness.errors import TransportError
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.arm64_vm import Arm64Vm, make_vm_parts
from tests.runner.tiny_models import dense_tflite
from tests.transports.ssh_client import client_in

pytestmark = pytest.mark.slow

DIRECTORY = PurePosixPath("/root/pocketbench")
TIMEOUT_S = 120.0
# ext4 commits its journal every 5 s, and lets data wait up to 30 s (ext4(5), commit; kernel, sysctl/vm.rst).
JOURNAL_S = 8
MakePlan = Callable[[dict[str, bytes]], DeploymentPlan]


@pytest.fixture
def vm(device_cache, tmp_path) -> Iterator[Arm64Vm]:
    with Arm64Vm(make_vm_parts(device_cache), tmp_path / "vm") as vm:
        yield vm


@pytest.fixture
def transport(vm, tmp_path, monkeypatch) -> Iterator[SshTransport]:
    with client_in(tmp_path / "user", monkeypatch).reach(vm) as transport:
        yield transport


@pytest.fixture
def make_plan(tmp_path) -> MakePlan:
    def make(contents: dict[str, bytes]) -> DeploymentPlan:
        files = []
        for name, content in contents.items():
            digest = hashlib.sha256(content).hexdigest()
            source = tmp_path / digest
            source.write_bytes(content)
            files.append(DeploymentFile(name, source, digest))
        return DeploymentPlan("digits", tuple(files))

    return make


def accept(deployment: object) -> None:
    """A check that finds nothing wrong."""


def in_use(transport: SshTransport) -> dict[str, str]:
    """Names and hashes of the files in use, read again from the disk."""
    script = 'cd "$1" && cd "$(dirname "$(readlink -f current)")" && sha256sum $(find . -type l)'
    folder = str(DIRECTORY / "deployments/digits")
    completed = transport.run(["sh", "-c", script, "sh", folder], timeout_s=TIMEOUT_S)
    assert (completed.exit_code, completed.stderr) == (0, b"")
    lines = [line.split() for line in completed.stdout.decode().splitlines()]
    return {name.removeprefix("./"): digest for digest, name in lines}


def hashes(plan: DeploymentPlan) -> dict[str, str]:
    return {file.name: file.sha256 for file in plan.files}


def test_what_was_synced_is_there_and_what_was_not_is_lost(vm, transport):
    transport.run(["sh", "-c", "echo kept >/root/kept; sync; echo lost >/root/lost"], timeout_s=TIMEOUT_S)

    vm.kill()
    vm.start()

    script = "uname -m; cat /root/*; dmesg | grep -c 'EXT4-fs (vda): recovery complete'"
    assert transport.run(["sh", "-c", script], timeout_s=TIMEOUT_S).stdout.split() == [b"aarch64", b"kept", b"1"]


def test_a_cut_in_the_middle_of_a_transfer_leaves_the_engine_in_use_working(vm, transport, device_cache, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (device_cache / "engines").mkdir(exist_ok=True)
    engines_folder(home).symlink_to(device_cache / "engines")
    engine = ensure_engine("litert", read_target(transport), home=home, say=print)
    small, large = dense_tflite(tmp_path / "small.tflite"), dense_tflite(tmp_path / "large.tflite", units=30_000)
    data = np.random.default_rng(1).random((1, 64), np.float32)

    def place(model: Path, progress: Callable[[Progress], None] | None = None) -> DeployedVariant:
        return deploy_variant(
            transport,
            DIRECTORY,
            variant_file=model,
            golden=None,
            engine=engine,
            runner=runner_binary("linux-aarch64"),
            name="digits",
            progress=progress,
        )

    def cut(progress: Progress) -> None:
        if progress.file_bytes > progress.file_bytes_total / 2:
            vm.kill()

    runner = place(small).runner_client
    (before,) = runner.infer([data], timeout_s=TIMEOUT_S)
    with pytest.raises(TransportError):
        place(large, cut)
    vm.start()

    (after,) = runner.infer([data], timeout_s=TIMEOUT_S)
    np.testing.assert_array_equal(after, before)
    assert [row.problem for row in status(transport, DIRECTORY)] == [None]
    (output,) = place(large).runner_client.infer([data], timeout_s=TIMEOUT_S)
    assert output.shape == (1, 30_000)


def test_a_cut_before_the_switch_leaves_what_was_in_use(vm, transport, make_plan):
    first, second = make_plan({"model": b"one" * 1000}), make_plan({"model": b"two" * 1000})
    deploy(transport, DIRECTORY, first, check=accept)

    def cut(deployment: object) -> None:
        time.sleep(JOURNAL_S)
        vm.kill()
        raise TransportError("the power was cut")

    with pytest.raises(TransportError):
        deploy(transport, DIRECTORY, second, check=cut)
    vm.start()

    assert in_use(transport) == hashes(first)
    deploy(transport, DIRECTORY, second, check=accept)
    assert in_use(transport) == hashes(second)


def test_a_cut_right_after_the_switch_leaves_one_of_both(vm, transport, make_plan):
    first, second = make_plan({"model": b"one" * 1000}), make_plan({"model": b"two" * 1000})
    deploy(transport, DIRECTORY, first, check=accept)
    deploy(transport, DIRECTORY, second, check=accept)

    vm.kill()
    vm.start()

    assert in_use(transport) in (hashes(first), hashes(second))
    assert [row.problem for row in status(transport, DIRECTORY)] == [None]


def test_a_deployment_of_files_that_were_there_is_complete_once_its_name_is_on_the_disk(vm, transport, make_plan):
    first, second = make_plan({"model": b"one" * 1000}), make_plan({"model": b"two" * 1000})
    for plan in (first, second, first):
        deploy(transport, DIRECTORY, plan, check=accept)

    time.sleep(JOURNAL_S)
    vm.kill()
    vm.start()

    assert [row.problem for row in status(transport, DIRECTORY)] == [None]
    assert in_use(transport) == hashes(first)
