"""A variant on a device: runner, engine and model as one deployment, tried before it is switched to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.deployment import deploy
from pocketbench.harness.deploy.golden import Golden, check_outputs, read_golden
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Deployment, DeploymentFile, DeploymentPlan, is_name
from pocketbench.harness.deploy.progress import ProgressCallback
from pocketbench.harness.deploy.space import QUOTA_BYTES
from pocketbench.harness.engines.catalogue import EngineBuild, engine_for_format
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.transports.base import Transport

__all__ = ["DeployedVariant", "deploy_variant", "deployment_name"]

RUNNER_NAME = "pocketbench-runner"
# The golden inference on a slow board with a large model; one inference, no measurement.
_GOLDEN_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class DeployedVariant:
    """A deployment that was tried, and the runner that measures it."""

    runner_client: Runner
    deployment: Deployment


def deploy_variant(
    transport: Transport,
    directory: PurePosixPath,
    *,
    variant_file: Path,
    golden: Path | None,
    rtol: float = 1e-4,
    atol: float = 1e-4,
    engine: EngineBuild,
    runner: Path,
    name: str,
    progress: ProgressCallback | None = None,
    quota_bytes: int = QUOTA_BYTES,
) -> DeployedVariant:
    """Deploy `variant_file` with `engine` and `runner` under `name`, made safe by `deployment_name`.

    With the engine go the libraries that it needs beside it and, where the device's own C library is too old for it,
    the loader of a newer one, which then starts the runner. `progress` and `quota_bytes` as in `deploy`.
    Before the switch the device answers the golden inference within `atol + rtol * |expected|`; where `golden` is
    None, it loads the model and says its inputs and outputs. Raises InputError before anything is written where a
    file cannot be used, DeploymentError where the answer is wrong, RunnerError where the engine refuses.
    """
    wanted = engine_for_format(variant_file.suffix.removeprefix("."))
    if engine.name != wanted:
        raise InputError(f"expected the engine {wanted!r} for {variant_file.name}, got {engine.name!r}.")
    expected = None if golden is None else read_golden(golden)
    model = f"model{variant_file.suffix}"
    plan = _plan(variant_file, model, engine, runner, name)

    def check(deployment: Deployment) -> None:
        client = _client(transport, directory, deployment, engine, model)
        if expected is None:
            client.describe()
        else:
            _check_golden(client, expected, rtol, atol, f"{transport.address}, {deployment.name}")

    deployment = deploy(transport, directory, plan, check=check, progress=progress, quota_bytes=quota_bytes)
    return DeployedVariant(_client(transport, directory, deployment, engine, model), deployment)


def deployment_name(name: str, sha256: str) -> str:
    """What a variant is deployed under: its name, or, where that is not safe, what is left of it and a hash."""
    if is_name(name):
        return name
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')[:80] or 'model'}-{sha256[:8]}"


def _plan(variant_file: Path, model: str, engine: EngineBuild, runner: Path, name: str) -> DeploymentPlan:
    sha256 = digest_of(variant_file)
    files = [
        DeploymentFile(model, variant_file, sha256),
        DeploymentFile(engine.library.name, engine.library, engine.sha256),
        DeploymentFile(RUNNER_NAME, runner, digest_of(runner), 0o755),
        *(DeploymentFile(library.name, library, digest_of(library)) for library in engine.libraries),
    ]
    if engine.loader is not None:
        files.append(DeploymentFile(engine.loader.name, engine.loader, digest_of(engine.loader), 0o755))
    return DeploymentPlan(deployment_name(name, sha256), tuple(files))


def _client(
    transport: Transport, directory: PurePosixPath, deployment: Deployment, engine: EngineBuild, model: str
) -> Runner:
    files, work = deployment.files, Layout(directory).work(deployment.name)
    launcher = [str(files[RUNNER_NAME])]
    if engine.loader is not None:
        # The loader takes libraries from the deployment's directory by their names, which are links there (ld.so(8)).
        launcher = [str(files[engine.loader.name]), "--library-path", str(deployment.root), *launcher]
    elif engine.libraries:
        # Android's linker finds what lies beside the engine where it is told to look (linker.cpp, LD_LIBRARY_PATH).
        launcher = ["env", f"LD_LIBRARY_PATH={deployment.root}", *launcher]
    return Runner(transport, launcher, engine.name, files[engine.library.name], files[model], work)


def _check_golden(client: Runner, golden: Golden, rtol: float, atol: float, who: str) -> None:
    inputs = [np.atleast_1d(array) for array in golden.inputs]
    outputs = client.infer(inputs, timeout_s=_GOLDEN_TIMEOUT_S)
    names = tuple(facts.name for facts in client.describe().outputs)
    check_outputs(outputs, golden.outputs, names, rtol=rtol, atol=atol, who=who)
