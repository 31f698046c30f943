"""What a power cut does to a deployment, on a computer that has a disk: what was in use still is, and works.

It is one computer that is switched off and on again from test to test, since a start takes as long as all else.
"""

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

TIMEOUT_S = 120.0
# ext4 commits its journal every 5 s, and lets data wait up to 30 s (ext4(5), commit; kernel, sysctl/vm.rst).
JOURNAL_S = 8


@pytest.fixture(scope="module")
def vm(device_cache, tmp_path_factory) -> Iterator[Arm64Vm]:
    with Arm64Vm(make_vm_parts(device_cache), tmp_path_factory.mktemp("arm64") / "vm") as vm:
        yield vm


@pytest.fixture(scope="module")
def transport(vm, tmp_path_factory) -> Iterator[SshTransport]:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        client_in(tmp_path_factory.mktemp("user") / "home", monkeypatch).reach(vm) as transport,
    ):
        yield transport


@pytest.fixture
def directory(request) -> PurePosixPath:
    """Each test has one of its own."""
    return PurePosixPath("/root", request.node.name)


def plan_of(content: bytes, folder: Path) -> DeploymentPlan:
    """One small file, named "model"."""
    digest = hashlib.sha256(content * 1000).hexdigest()
    (folder / digest).write_bytes(content * 1000)
    return DeploymentPlan("digits", (DeploymentFile("model", folder / digest, digest),))


def accept(deployment: object) -> None:
    """A check that finds nothing wrong."""


def in_use(transport: SshTransport, directory: PurePosixPath) -> dict[str, str]:
    """Names and hashes of the files in use, read again from the disk."""
    script = 'cd "$1" && cd "$(dirname "$(readlink -f current)")" && sha256sum $(find . -type l)'
    folder = str(directory / "deployments/digits")
    completed = transport.run(["sh", "-c", script, "sh", folder], timeout_s=TIMEOUT_S)
    assert (completed.exit_code, completed.stderr) == (0, b"")
    lines = [line.split() for line in completed.stdout.decode().splitlines()]
    return {name.removeprefix("./"): digest for digest, name in lines}


def hashes(plan: DeploymentPlan) -> dict[str, str]:
    return {file.name: file.sha256 for file in plan.files}


def test_what_was_synced_is_there_and_what_was_not_is_lost(vm, transport, directory):
    script = 'mkdir "$1" && cd "$1" && echo kept >kept && sync && echo lost >lost'
    assert transport.run(["sh", "-c", script, "sh", str(directory)], timeout_s=TIMEOUT_S).exit_code == 0

    vm.kill()
    vm.start()

    script = 'uname -m; cat "$1"/*; dmesg | grep -c "EXT4-fs (vda): recovery complete"'
    found = transport.run(["sh", "-c", script, "sh", str(directory)], timeout_s=TIMEOUT_S).stdout.split()
    assert found == [b"aarch64", b"kept", b"1"]


def test_a_cut_in_the_middle_of_a_transfer_leaves_the_engine_in_use_working(
    vm, transport, directory, device_cache, tmp_path
):
    home = tmp_path / "home"
    home.mkdir()
    (device_cache / "engines").mkdir(exist_ok=True)
    engines_folder(home).symlink_to(device_cache / "engines")
    engine = ensure_engine("litert", read_target(transport), home=home, say=print)
    small, large = dense_tflite(tmp_path / "small.tflite"), dense_tflite(tmp_path / "large.tflite", units=10_000)
    data = np.random.default_rng(1).random((1, 64), np.float32)

    def place(model: Path, progress: Callable[[Progress], None] | None = None) -> DeployedVariant:
        return deploy_variant(
            transport,
            directory,
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
    assert [row.problem for row in status(transport, directory)] == [None]
    (output,) = place(large).runner_client.infer([data], timeout_s=TIMEOUT_S)
    assert output.shape == (1, 10_000)


def test_a_cut_before_the_switch_leaves_what_was_in_use(vm, transport, directory, tmp_path):
    """That was made of files which were there before, so that nothing but its name had to reach the disk."""
    first, second, third = (plan_of(content, tmp_path) for content in (b"one", b"two", b"three"))
    for plan in (first, second, first):
        deploy(transport, directory, plan, check=accept)

    def cut(deployment: object) -> None:
        time.sleep(JOURNAL_S)
        vm.kill()
        raise TransportError("the power was cut")

    with pytest.raises(TransportError):
        deploy(transport, directory, third, check=cut)
    vm.start()

    assert [row.problem for row in status(transport, directory)] == [None]
    assert in_use(transport, directory) == hashes(first)
    deploy(transport, directory, third, check=accept)
    assert in_use(transport, directory) == hashes(third)


def test_a_cut_right_after_the_switch_leaves_one_of_both(vm, transport, directory, tmp_path):
    first, second = plan_of(b"one", tmp_path), plan_of(b"two", tmp_path)
    deploy(transport, directory, first, check=accept)
    deploy(transport, directory, second, check=accept)

    vm.kill()
    vm.start()

    assert in_use(transport, directory) in (hashes(first), hashes(second))
    assert [row.problem for row in status(transport, directory)] == [None]
